package detect

import "github.com/wonted-project/wonted/scoring"

// bursts are ordinary requests, far too many of them.
func bursts() []Scenario {
	return []Scenario{{
		Name: "burst", Family: "burst", Twin: "retry_storm", Meant: []scoring.Detector{scoring.Rate},
		About: "600 requests of the victim's usual kind, 10 a second",
		Play: func(a *Attack) {
			route := start
			for range 600 {
				route = choose(a.Rand.Float64(), a.Victim.ways[route+1])
				if len(a.Victim.ways[route+1]) == 0 {
					route = start
					continue
				}
				a.Play(a.Call(uint8(route)))
				a.Wait(100)
			}
		}}}
}
