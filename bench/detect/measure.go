package detect

import (
	"cmp"
	"errors"
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
		return nil, errors.New("bench detect: nothing was measured")
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
