package detect

import "github.com/wonted-project/wonted/scoring"

// sequences do what the victim does, in an order in which nobody does it.
func sequences() []Scenario {
	return []Scenario{{
		Name: "sequence_random", Family: "sequence", Twin: "release", Meant: []scoring.Detector{scoring.Sequence, scoring.Usage},
		About: "80 requests to routes that its class uses, in any order, at its own pace",
		Play: func(a *Attack) {
			id := a.Victim
			for range 80 {
				a.Play(a.Call(id.uses[a.Rand.IntN(len(id.uses))]))
				a.WaitAbout(id.gap, .5)
			}
		}}}
}
