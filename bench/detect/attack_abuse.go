package detect

import "github.com/wonted-project/wonted/scoring"

// abuses use the API as it is meant, for what it is not meant for: the bots of
// "OWASP Automated Threats" (OAT-005 scalping, OAT-011 scraping), and flows that
// leave out a step (API6:2023).
func abuses() []Scenario {
	return []Scenario{
		{Name: "scalping", Family: "abuse", Twin: "sale", Suits: of(person),
			Meant: []scoring.Detector{scoring.Rate, scoring.Usage, scoring.Sequence},
			About: "one product looked at until it is there, then 30 carts and checkouts, 2 requests a second",
			Play: func(a *Attack) { // the script watches first: that is most of what it does
				one := a.Rand.Uint64N(20_000) + 1
				for range 120 {
					a.of(getProduct, one)
					a.Wait(second)
				}
				for range 30 {
					a.of(postCartItem, 0)
					a.Wait(second / 2)
					a.of(postCheckout, 0)
					a.Wait(second / 2)
				}
			}},
		{Name: "checkout_without_cart", Family: "abuse", Twin: "sale", Suits: of(person),
			Meant: []scoring.Detector{scoring.Sequence, scoring.Usage},
			About: "20 checkouts without a cart before, one in 15 s: cards are tried, three in four refused",
			Play: func(a *Attack) {
				for range 20 {
					c := a.Call(postCheckout)
					if a.Rand.IntN(4) > 0 {
						c.Status, c.Bytes = 402, 160
					}
					a.Play(c)
					a.WaitAbout(15_000, .4)
				}
			}},
		{Name: "version_downgrade", Family: "abuse", Twin: "release", Suits: of(person),
			Meant: []scoring.Detector{scoring.Version, scoring.Usage, scoring.Sequence},
			About: "40 requests to version 0 of orders, where checks are missing, by who never used it; at its own pace",
			Play: func(a *Attack) {
				for i := range 40 {
					if i%8 == 0 {
						a.Play(a.Call(getOldOrders))
					} else {
						a.Play(a.Call(getOldOrder))
					}
					a.WaitAbout(a.Victim.gap, .8)
				}
			}},
		{Name: "scrape_slow", Family: "scraping", Twin: "sale", Runs: 60, Suits: of(person, poller),
			Meant: []scoring.Detector{scoring.NewObjects, scoring.Enumeration, scoring.Rate, scoring.Usage},
			About: "1,000 products of the catalogue in order, one in 20 s, as a customer",
			Play: func(a *Attack) {
				first := a.Rand.Uint64N(19_000)
				for i := range uint64(1000) {
					a.of(getProduct, first+i)
					a.WaitAbout(20_000, .5)
				}
			}},
		{Name: "scrape_spread", Family: "scraping", Twin: "newcomer", Runs: 60,
			Meant: []scoring.Detector{scoring.NewObjects, scoring.Enumeration, scoring.Rate, scoring.Usage},
			About: "the same 1,000 products over 20 new accounts of one provider's addresses, each of them one in 5 minutes",
			Play: func(a *Attack) {
				first := a.Rand.Uint64N(19_000)
				base, device := a.Stranger(false)
				for i := range uint64(1000) {
					c := a.Call(getProduct)
					a.newcomer(&c, uint32(i%20))
					c.Address, c.Device = base&^255|Address(1+i%20), device
					c.Object = first + i
					a.Play(c)
					a.WaitAbout(15_000, .5)
				}
			}},
	}
}

// of plays the victim's request to a route, about this object.
func (a *Attack) of(route uint8, object uint64) {
	c := a.Call(route)
	c.Object = object
	a.Play(c)
}

// newcomer makes the request one of an account that was not there before.
func (a *Attack) newcomer(c *Call, n uint32) {
	c.From = person
	c.Caller = 1<<28 | a.Victim.Number<<8 | n
	c.Session, c.Credential = c.Caller, 0
}
