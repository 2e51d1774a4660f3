package detect

import (
	"math/rand/v2"
	"slices"
)

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
