package detect

import (
	"strconv"

	"github.com/wonted-project/wonted/scoring"
)

// hidden attacks count on what a detector does not know, or has been taught:
// they lie among ordinary requests, or begin with somebody new.
func hidden() []Scenario {
	probing := []scoring.Detector{scoring.Recon, scoring.Errors}
	return []Scenario{
		{Name: "probes_1pct", Family: "probes", Meant: probing, Twin: "release", Runs: 100,
			About: "500 requests as ever, one in 100 a path that is not there", Play: func(a *Attack) { a.probes(500, .01) }},
		{Name: "probes_5pct", Family: "probes", Meant: probing, Twin: "release", Runs: 100,
			About: "500 requests as ever, one in 20 a path that is not there", Play: func(a *Attack) { a.probes(500, .05) }},
		{Name: "dump_x1000", Family: "dump", Meant: []scoring.Detector{scoring.Volume, scoring.Bulk}, Suits: lists, Twin: "month_end",
			About: "10 lists of 1,000 times the usual length, one in 10 s",
			Play: func(a *Attack) {
				for range 10 {
					a.Play(a.list(1000))
					a.Wait(10 * second)
				}
			}},
		{Name: "cold_dump", Family: "cold start", Meant: []scoring.Detector{scoring.Volume, scoring.Bulk}, Suits: tens, Twin: "newcomer",
			About: "an account that is 20 requests old; then 10 answers of 10,000 records where its like read 10",
			Play: func(a *Attack) {
				a.settleIn(20)
				for range 10 {
					c := a.records(10_000)
					a.newcomer(&c, 0)
					a.Play(c)
					a.Wait(5 * second)
				}
			}},
		{Name: "cold_walk", Family: "cold start", Suits: objects, Twin: "newcomer",
			Meant: []scoring.Detector{scoring.NewObjects, scoring.Enumeration},
			About: "an account that is 20 requests old; then 300 orders of others, in order, one a second",
			Play: func(a *Attack) {
				a.settleIn(20)
				first := sequence(a.Now) - 500_000
				for i := range uint64(300) {
					c := a.Call(a.objectRoute())
					a.newcomer(&c, 0)
					c.Object = first + i
					a.Play(c)
					a.Wait(second)
				}
			}},
	}
}

// probes lets the victim go on, with a probe now and then: the attacker sits on
// its machine, behind its own requests.
func (a *Attack) probes(n int, share float64) {
	for range n {
		if a.Rand.Float64() >= share {
			a.Benign(1)
			continue
		}
		c := a.Call(getMe)
		c.Path, c.Method = "/v1/"+api[a.Rand.IntN(endpoints)].path[4:]+"x"+strconv.Itoa(a.Rand.IntN(1000)), "GET"
		c.Status, c.Bytes = 404, 90
		a.Play(c)
		a.Wait(second)
	}
}

// settleIn plays a newcomer's first n requests, as people make them, from the
// victim's place.
func (a *Attack) settleIn(n int) { a.Usual(n, func(c *Call) { a.newcomer(c, 0) }) }
