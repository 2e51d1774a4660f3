package detect

import "github.com/wonted-project/wonted/scoring"

// replays use a stolen session or key at the same time as its owner: two
// contexts that take turns. At the first request from elsewhere nobody has come
// back yet: what there is to be told is that somebody else has the session, a
// take-over, and more than half are found then.
func replays() []Scenario {
	return []Scenario{{
		Name: "replay_contexts", Family: "replay", Meant: []scoring.Detector{scoring.Replay, scoring.Switches, scoring.Takeover}, Suits: of(person, poller, batch),
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
