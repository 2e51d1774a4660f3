package scoring

// What everybody does is nobody's doing: a release that makes clients ask ten
// times as often, a season that makes all customers grow. So it is told apart
// from what one does alone by the median of the cohort: of the gap between each
// member's mean and its slow anchor, in standard deviations, and of the step to
// its challenger, in doublings.
//
// The anchors' speed limit is net of that median, at most mostShift a day; a
// challenger whose peers made the same step need not wait.
const (
	leastMembers = 20   // that a median needs, or the whole deployment is asked
	mostShift    = 0.25 // standard deviations a day
)

// gaps are as many as there are anchors: those of Record.Anchors and of the two
// residuals.
const (
	gapResponseBytes   = anchorNone
	gapResponseRecords = anchorNone + 1
	gaps               = anchorNone + 2
)

var (
	gapAxis  = axis{-4, 1.0 / 8}
	stepAxis = axis{0, 1.0 / 10}
)

// movement is one member's.
type movement struct {
	gap  [gaps]float64
	step step
}

// shifts count a day's movements.
type shifts struct {
	Gaps  [gaps]tally
	Steps [steps]tally
}

// medians of a day; all 0 where too few members came.
type medians struct {
	N    float32
	Gap  [gaps]float32
	Step [steps]float32
}

func (s *shifts) add(m *movement) {
	for i, v := range m.gap {
		s.Gaps[i].add(gapAxis, v, 1)
	}
	for i, v := range m.step {
		s.Steps[i].add(stepAxis, v, 1)
	}
}

func (s *shifts) medians() (m medians) {
	if m.N = s.Gaps[0].N; m.N < leastMembers {
		return medians{}
	}
	for i := range s.Gaps {
		m.Gap[i] = float32(s.Gaps[i].quantile(gapAxis, 0.5))
	}
	for i := range s.Steps {
		m.Step[i] = float32(s.Steps[i].quantile(stepAxis, 0.5))
	}
	return m
}

// moved is how far the record's means lie above their anchors, and its
// challenger above them.
func (l *look) moved() (m movement) {
	rec, b, c := l.rec, &l.rec.Baseline, l.cohort
	gap := func(i int, mean, anchor float32, deviation float64) {
		if anchor != 0 && deviation > 0 {
			m.gap[i] = (finite(mean, -64, 1e6) - finite(anchor, -64, 1e6)) / deviation
		}
	}
	gap(anchor1m, b.Requests1m.Mean, rec.Anchors[anchor1m], c.requests1m.deviation(&b.Requests1m))
	gap(anchor10m, b.Requests10m.Mean, rec.Anchors[anchor10m], c.requests10m.deviation(&b.Requests10m))
	gap(anchor1h, b.Requests1h.Mean, rec.Anchors[anchor1h], c.requests1h.deviation(&b.Requests1h))
	gap(anchorNew, b.New10m.Mean, rec.Anchors[anchorNew], c.new10m.deviation(&b.New10m))
	gap(anchorBytes, b.Bytes10m.Mean, rec.Anchors[anchorBytes], windowSpread(&b.Bytes10m))
	gap(anchorRecords, b.Records10m.Mean, rec.Anchors[anchorRecords], windowSpread(&b.Records10m))
	gap(gapResponseBytes, rec.Bytes.Y.Mean, rec.Bytes.Anchor, responseSpread(&rec.Bytes.Y))
	gap(gapResponseRecords, rec.Records.Y.Mean, rec.Records.Anchor, responseSpread(&rec.Records.Y))
	if ch := &l.habits.Challenger; ch.N[stepRequests] >= challengeWindows && ch.Ordinary <= ch.N[stepRequests] && l.now/aDay-min(ch.Last/aDay, l.now/aDay) <= 2 {
		m.step = l.climb()
	}
	return m
}

// drift is what of a day's climb is everybody's, in standard deviations.
func (n *norms) drift(cohort Cohort) *[gaps]float64 { return &n.said.Load().drift[cohort] }

// drifts are what sumUp publishes of the medians.
func drifts(own, whole *medians) (d [gaps]float64) {
	if own.N == 0 {
		own = whole
	}
	for i, g := range own.Gap {
		d[i] = min(max(float64(g), 0), mostShift)
	}
	return d
}

// peersMoved: the median of the cohort has made the same step, today or the day
// before, in everything that grew to the double or more: at least half as many
// doublings, and not one fewer.
func (n *norms) peersMoved(cohort Cohort, s *step) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	of := &n.all[cohort]
	today := of.Today.medians()
	if today.N == 0 && of.Last.N == 0 {
		of = &n.all[CohortNew]
		today = of.Today.medians()
	}
	grew := false
	for i, mine := range s {
		if mine < 1 {
			continue
		}
		grew = true
		if theirs := float64(max(today.Step[i], of.Last.Step[i])); theirs < mine/2 || theirs < mine-1 {
			return false
		}
	}
	return grew
}
