package detect

// heldOut are families that were written after the detectors, without a look at
// what those find, and that no detector is for. They stand for what nobody
// thought of; whoever tunes to one has to write another in its place.
func heldOut() []Scenario {
	return []Scenario{
		// Unrestricted resource consumption (API4:2023): few requests, each of which
		// keeps the upstream busy for half a minute.
		{Name: "expensive", Family: "held out: exhaustion", HeldOut: true, Suits: of(person, partner, bursty),
			About: "60 searches at the victim's own pace that take 20 to 40 s each to answer",
			Play: func(a *Attack) {
				for range 60 {
					c := a.Call(getSearch)
					c.Took = int32(20_000 + a.Rand.IntN(20_000))
					a.Play(c)
					a.Wait(int64(c.Took))
					a.WaitAbout(a.Victim.gap, .5)
				}
			}},
		// Data that goes in, not out: storage that somebody else pays for, or a way
		// to bring things out of another network.
		{Name: "uploads", Family: "held out: smuggling", HeldOut: true, Suits: of(person),
			About: "40 messages of 2 MB each where half a kilobyte is usual, one a minute",
			Play: func(a *Attack) {
				for range 40 {
					c := a.Call(postMessage)
					c.RequestBytes = int64(draw(a.Rand, pair{2 << 20, .2}))
					a.Play(c)
					a.WaitAbout(60_000, .3)
				}
			}},
		// One object of somebody else's, and no second: an ex-partner's order, a
		// parcel on its way, a competitor's stock.
		{Name: "stalking", Family: "held out: surveillance", HeldOut: true, Suits: of(person, partner), Runs: 100,
			About: "one order of somebody else's, asked for every 20 minutes for two days",
			Play: func(a *Attack) {
				c := a.Call(getOrder)
				object := a.Other.object(order, a.Now) // one that it had in hand of late
				for range 144 {
					c.Object, c.Status = object, 0
					a.Play(c)
					a.WaitAbout(20*60_000, .1)
				}
			}},
		// Inventory that is held and let go (OAT-021): nothing is bought, nobody
		// else can.
		{Name: "hoarding", Family: "held out: denial of inventory", HeldOut: true, Suits: of(person),
			About: "a product put into the cart and taken out again, 60 times, a minute apart",
			Play: func(a *Attack) {
				one := 1 + a.Rand.Uint64N(20_000)
				for i := range 60 {
					a.of(postCartItem, 0)
					a.WaitAbout(55_000, .2)
					a.of(deleteCartItem, one+uint64(i%2))
					a.Wait(second)
				}
			}},
	}
}
