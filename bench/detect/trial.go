package detect

import "github.com/wonted-project/wonted/scoring"

// trial is what became of one scenario with one victim.
type trial struct {
	scenario int
	victim   uint32
	class    Class

	requests       int32
	bytes, records int64
	steps          [][]step  // of each judge: where its score rose
	windows        []float32 // the highest score of each ten minutes, judge by judge

	stopped                int32 // the request at which wonted's own threshold was reached; 0: never
	lostBytes, lostRecords int64 // what had passed by then

	long *longRun // of a scenario that takes days; nil: it does not
}

// step is where the highest score so far was reached.
type step struct {
	request        int32
	bytes, records int64 // with this request's
	score          float32
	top            scoring.Detector
}

// note takes what the judges think of a call. early: the request alone was
// anomalous.
func (t *trial) note(e *engine, c *Call, early bool) {
	t.requests++
	as := &e.ex.Assessment
	if as.Anomalous && t.stopped == 0 {
		t.stopped = t.requests
		t.lostBytes, t.lostRecords = t.bytes, t.records
		if !early { // the answer is cut where it exceeds what is usual
			t.lostBytes += cut(c.Bytes, as.Usual.Bytes)
			t.lostRecords += cut(c.Records, as.Usual.Records)
		}
	}
	t.bytes += max(c.Bytes, 0)
	t.records += max(c.Records, 0)
	for j, score := range e.scores {
		t.steps[j] = climb(t.steps[j], step{t.requests, t.bytes, t.records, score, top(as)})
	}
}

// beyond says whether a response is longer than usual, and ends there under the
// default policy.
func beyond(n, usual int64) bool { return usual > 0 && n > usual }

// cut is what passes of a response when it is cut at what is usual.
func cut(n, usual int64) int64 {
	if beyond(n, usual) {
		n = usual
	}
	return max(n, 0)
}

// noDetector stands where there is no evidence.
const noDetector = scoring.Detector(255)

// top is what the evidence begins with.
func top(as *scoring.Assessment) scoring.Detector {
	if len(as.Evidence) == 0 {
		return noDetector
	}
	return as.Evidence[0].Detector
}

func detectorName(d scoring.Detector) string {
	if d == noDetector {
		return "none"
	}
	return d.String()
}

// climb appends a step if it is higher than the last.
func climb(steps []step, s step) []step {
	if n := len(steps); n > 0 && s.score <= steps[n-1].score {
		return steps
	}
	return append(steps, s)
}

// reached is the first step at which the score is not below the threshold.
func (t *trial) reached(judge int, threshold float32) (step, bool) {
	for _, s := range t.steps[judge] {
		if s.score >= threshold {
			return s, true
		}
	}
	return step{}, false
}
