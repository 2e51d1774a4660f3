package detect

import "github.com/wonted-project/wonted/scoring"

// takeovers are somebody else with the victim's credentials.
func takeovers() []Scenario {
	meant := []scoring.Detector{scoring.Takeover, scoring.Device, scoring.Network, scoring.Country}
	suits := of(person, poller, batch)
	return []Scenario{
		{Name: "takeover", Family: "takeover", Twin: "travel", Meant: meant, Suits: suits,
			About: "another device, network and country, then 20 requests of the usual kind",
			Play:  func(a *Attack) { a.takeover(20) }},
		{Name: "takeover_dump", Family: "takeover", Twin: "travel", Meant: append(meant, scoring.Volume, scoring.Bulk), Suits: func(id *Identity) bool { return suits(id) && tens(id) },
			About: "the same, then 10 answers of 10,000 records where 10 are usual",
			Play: func(a *Attack) {
				c := a.takeover(20)
				for range 10 {
					dump := a.records(10_000)
					dump.Address, dump.Device = c.Address, c.Device
					a.Play(dump)
					a.Wait(5 * second)
				}
			}},
	}
}

// takeover plays n requests from elsewhere and returns the last.
func (a *Attack) takeover(n int) Call {
	address, device := a.Stranger(true)
	return a.Usual(n, func(c *Call) { c.Address, c.Device = address, device })
}
