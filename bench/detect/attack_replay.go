package detect

import "github.com/wonted-project/wonted/scoring"

// replays use a stolen session or key at the same time as its owner: two
// contexts that take turns.
func replays() []Scenario {
	return []Scenario{{
		Name: "replay_contexts", Family: "replay", Meant: []scoring.Detector{scoring.Replay, scoring.Switches}, Suits: of(person, poller, batch),
		About: "40 requests, 4 s apart, by turns from the victim's place and from another",
		Play: func(a *Attack) {
			address, device := a.Stranger(false)
			for i := range 40 {
				c := a.Call(uint8(a.Victim.onward(start)))
				if i%2 == 1 {
					c.Address, c.Device = address, device
				}
				a.Play(c)
				a.Wait(4 * second)
			}
		}}}
}
