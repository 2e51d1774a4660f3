package detect

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// fars are the window false-alarm rates at which judges are compared.
var fars = []float64{1e-3, 1e-4}

// nominals are the levels of the calibration curves.
var nominals = []float64{1e-1, 3.16e-2, 1e-2, 3.16e-3, 1e-3, 3.16e-4, 1e-4, 1e-5}

const resamples = 400

// newReport measures what was played: quietly, and with attacks.
func newReport(cfg Config, quiet, attacked *engine, partial bool) (*Report, error) {
	if len(quiet.windows.closed) == 0 {
		return nil, errNothing
	}
	if !partial {
		if err := cmp.Or(quiet.lived(), attacked.tried()); err != nil {
			return nil, err
		}
	}
	r := &Report{
		Version: ReportVersion, Partial: partial, Seed: cfg.Seed, Identities: cfg.Identities, Days: cfg.Days,
		Training: quiet.world.training, Lasting: cfg.lasting(), Windows: len(quiet.windows.closed), RunsEach: cfg.Runs,
	}
	for _, n := range quiet.tally.exchanges {
		r.Exchanges += n
	}
	chance := rand.New(rand.NewPCG(cfg.Seed, 0x626F6F74))
	r.Classes = quiet.classReports()
	r.Calibration = quiet.curves(chance)
	r.Budget, r.Harm, r.Controller = quiet.budget(chance), quiet.harm(), quiet.calibrator.controlled()
	r.Thresholds = quiet.thresholds()
	r.Null = attacked.null(r.Thresholds, chance)
	for i := range attacked.scenarios {
		r.Scenarios = append(r.Scenarios, attacked.result(i, r.Thresholds, chance))
	}
	r.NotBeaten = notBeaten(r.Scenarios)
	r.Informed = attacked.informedOf(cfg.lasting())
	return r, nil
}

// lived fails where a class did nothing: a report of nobody would look like a
// good one.
func (e *engine) lived() error {
	for c, n := range e.tally.exchanges {
		if n == 0 {
			return fmt.Errorf("bench detect: no %v did anything; more identities or days would", Class(c))
		}
	}
	return nil
}

// tried fails where a scenario was never played.
func (e *engine) tried() error {
	played := make([]int, len(e.scenarios))
	for i := range e.trials {
		if e.trials[i].requests > 0 {
			played[e.trials[i].scenario]++
		}
	}
	for i, n := range played {
		if n == 0 {
			return fmt.Errorf("bench detect: scenario %s was never played (%d victims had no history, or did nothing); more identities or days would help", e.scenarios[i].Name, e.skipped[i])
		}
	}
	return nil
}

func (e *engine) judge(j int) string {
	if j == 0 {
		return "wonted"
	}
	return e.baselines[j-1].name()
}

func (e *engine) classReports() []ClassReport {
	all := make([]ClassReport, classes)
	for c := range all {
		all[c].Name, all[c].Exchanges = classNames[c], e.tally.exchanges[c]
	}
	for _, id := range e.everybody {
		all[id.Class].Identities++
	}
	for i := range e.windows.closed {
		all[e.windows.closed[i].class].Windows++
	}
	return all
}

// thresholds finds, for each judge and rate, the least score that no more than
// the allowed share of benign windows reaches.
func (e *engine) thresholds() (all []Threshold) {
	n := len(e.windows.closed)
	scores := make([]float32, n)
	for j := range e.scores {
		for i := range scores {
			scores[i] = e.windows.score(i, j)
		}
		slices.SortFunc(scores, func(a, b float32) int {
			switch {
			case a > b:
				return -1
			case a < b:
				return 1
			}
			return 0
		})
		for _, far := range fars {
			above := scores[min(int(far*float64(n)), n-1)] // so many are above it at the most
			all = append(all, Threshold{Judge: e.judge(j), FAR: far,
				Score: float64(math.Nextafter32(above, math.MaxFloat32)), Most: float64(scores[0])})
		}
	}
	return all
}

// null counts the control's windows at wonted's thresholds.
func (e *engine) null(thresholds []Threshold, chance *rand.Rand) (n Null) {
	var trials []*trial
	for i := range e.trials {
		if t := &e.trials[i]; e.scenarios[t.scenario].Name == nullControl {
			trials = append(trials, t)
			n.Windows += len(t.windows) / len(e.scores)
		}
	}
	for k, far := range fars {
		threshold := float32(thresholds[k].Score)
		reached, of := make([]float64, len(trials)), make([]float64, len(trials))
		total := 0
		for i, t := range trials {
			for w := 0; w < len(t.windows); w += len(e.scores) {
				of[i]++
				if t.windows[w] >= threshold {
					reached[i]++
					total++
				}
			}
		}
		n.Rates = append(n.Rates, NullRate{FAR: far, Reached: total, Rate: bootstrap(chance, reached, of, 1)})
	}
	return n
}

// result measures one scenario.
func (e *engine) result(scenario int, thresholds []Threshold, chance *rand.Rand) Result {
	s := &e.scenarios[scenario]
	r := Result{Name: s.Name, Family: s.Family, About: s.About, Benign: s.Benign, HeldOut: s.HeldOut, Twin: s.Twin, Skipped: e.skipped[scenario]}
	var trials []*trial
	var asks []float64
	for i := range e.trials {
		if t := &e.trials[i]; t.scenario == scenario {
			trials = append(trials, t)
			asks = append(asks, float64(t.requests))
		}
	}
	r.Runs, r.Asks = len(trials), int(spreadOf(asks).Median)
	for k, t := range thresholds {
		r.Found = append(r.Found, found(trials, k/len(fars), t, chance))
	}
	r.Stop = stops(trials, chance)
	r.Top = e.top(s, trials, float32(thresholds[0].Score))
	if s.Over != nil {
		r.Long = slow(trials)
	}
	r.Classes = resultsByClass(trials, thresholds)
	return r
}

func resultsByClass(trials []*trial, thresholds []Threshold) (all []ClassResult) {
	for c := range Class(classes) {
		r := ClassResult{Name: c.String(), Recall: make([]float64, len(fars))}
		for _, t := range trials {
			if t.class != c {
				continue
			}
			r.Runs++
			if t.stopped > 0 {
				r.Stopped++
			}
			for k := range fars {
				if _, ok := t.reached(0, float32(thresholds[k].Score)); ok {
					r.Recall[k]++
				}
			}
		}
		if r.Runs == 0 {
			continue
		}
		r.Stopped /= float64(r.Runs)
		for k := range fars {
			r.Recall[k] /= float64(r.Runs)
		}
		all = append(all, r)
	}
	return all
}

func slow(trials []*trial) *Slow {
	var days, drift, take []float64
	for _, t := range trials {
		take = append(take, t.long.take)
		if t.long.stopped {
			days, drift = append(days, t.long.day), append(drift, t.long.drift)
		}
	}
	return &Slow{Days: spreadOf(days), Drift: spreadOf(drift), Take: spreadOf(take)}
}

func found(trials []*trial, judge int, at Threshold, chance *rand.Rand) Found {
	f := Found{Judge: at.Judge, FAR: at.FAR}
	hit, one := make([]float64, len(trials)), make([]float64, len(trials))
	var requests, bytes, lost []float64
	for i, t := range trials {
		one[i] = 1
		s, ok := t.reached(judge, float32(at.Score))
		if !ok {
			lost = append(lost, float64(t.records))
			continue
		}
		hit[i] = 1
		requests, bytes = append(requests, float64(s.request)), append(bytes, float64(s.bytes))
		lost = append(lost, float64(s.records))
	}
	f.Recall = bootstrap(chance, hit, one, 1)
	f.Requests, f.Bytes, f.Lost = spreadOf(requests), spreadOf(bytes), spreadOf(lost)
	return f
}

func stops(trials []*trial, chance *rand.Rand) (s Stop) {
	hit, one := make([]float64, len(trials)), make([]float64, len(trials))
	var requests, records, bytes []float64
	for i, t := range trials {
		one[i] = 1
		if t.stopped == 0 {
			records, bytes = append(records, float64(t.records)), append(bytes, float64(t.bytes))
			continue
		}
		hit[i] = 1
		requests = append(requests, float64(t.stopped))
		records, bytes = append(records, float64(t.lostRecords)), append(bytes, float64(t.lostBytes))
	}
	s.Stopped = bootstrap(chance, hit, one, 1)
	s.Requests, s.Records, s.Bytes = spreadOf(requests), spreadOf(records), spreadOf(bytes)
	return s
}

// top counts what the evidence began with where wonted found the scenario.
func (e *engine) top(s *Scenario, trials []*trial, threshold float32) Top {
	t := Top{Detector: map[string]int{}}
	for _, tr := range trials {
		st, ok := tr.reached(0, threshold)
		if !ok {
			continue
		}
		t.Of++
		t.Detector[detectorName(st.top)]++
		if slices.Contains(s.Meant, st.top) {
			t.Right++
		}
	}
	if len(s.Meant) == 0 {
		t.Right, t.Of = 0, 0
	}
	return t
}
