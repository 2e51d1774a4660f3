package detect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wonted-project/wonted/scoring"
)

// Scenario is one thing that can happen to one identity, an attack or something
// benign that looks like one. Its name is part of the report's contract.
type Scenario struct {
	Name   string
	Family string
	About  string // in a few words, for people

	Benign  bool   // every alarm on it is a false one: a twin, or the null control
	Twin    string // of an attack: the benign scenario that looks most like it
	HeldOut bool   // written after the detectors, and never tuned to
	Runs    int    // at the most, where one is dear; 0: as many as are asked for

	// Meant are the detectors of which one should be the first of the evidence.
	// Empty: nothing is asked.
	Meant []scoring.Detector

	// Suits says on whom it can be played; nil: on everybody with a history.
	Suits func(*Identity) bool

	// Either Play or Over is set.
	//
	// Play plays it. It is called for one victim at one moment, and may be called
	// for hundreds of them; it draws all chances from a.Rand and keeps nothing.
	Play func(a *Attack)

	// Over is of what takes days. It is called once for each of its own victims,
	// when the evaluation begins, and returns what is done to every call from then
	// on.
	Over func(l *Long) func(c *Call)
}

// nullControl is the name of the scenario by which the harness itself is judged.
const nullControl = "null"

// Scenarios are all there are, in the order of reports. A family has a file of
// its own, attack_*.go.
func Scenarios() []Scenario {
	return slices.Concat(
		nulls(), dumps(), bursts(), enumerations(), recons(), sequences(), replays(), takeovers(),
		stuffings(), abuses(), hidden(), signIns(), twins(),
		slows(), informeds(),
		heldOut())
}

// Select returns the scenarios of these names; none: all. The null control is
// always among them.
func Select(names []string) ([]Scenario, error) {
	all := Scenarios()
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for i := range all {
		known = append(known, all[i].Name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("there is no scenario %q; there are %s", n, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all, func(s Scenario) bool {
		return s.Name != nullControl && !slices.Contains(names, s.Name)
	}), nil
}

// runs is how often it is played where so many runs of each are asked for.
func (s *Scenario) runs(asked int) int {
	if s.Runs > 0 {
		return min(asked, s.Runs)
	}
	return asked
}

// of says that an identity is of one of these classes.
func of(classes ...Class) func(*Identity) bool {
	return func(id *Identity) bool { return slices.Contains(classes, id.Class) }
}
