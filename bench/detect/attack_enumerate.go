package detect

import "github.com/wonted-project/wonted/scoring"

// enumerations walk the ids of objects that belong to others (BOLA,
// API1:2023), with the victim's own credentials.
func enumerations() []Scenario {
	meant := []scoring.Detector{scoring.NewObjects, scoring.Enumeration}
	walk := func(n int, gap int64, missing float64, next func(*Attack, uint64) uint64) func(*Attack) {
		return func(a *Attack) {
			id := sequence(a.Now) - 500_000 + a.Rand.Uint64N(100_000)
			for range n {
				id = next(a, id)
				c := a.Call(a.objectRoute())
				c.Object = id
				if a.Rand.Float64() < missing {
					c.Status, c.Bytes = 404, 110
				}
				a.Play(c)
				a.Wait(gap)
			}
		}
	}
	following := func(_ *Attack, id uint64) uint64 { return id + 1 }
	anywhere := func(a *Attack, _ uint64) uint64 { return sequence(a.Now) - a.Rand.Uint64N(800_000) }
	return []Scenario{
		{Name: "enumerate_sequential", Family: "enumeration", Meant: meant, Suits: objects,
			About: "300 ids in order, one a second, one in ten missing", Play: walk(300, second, .1, following)},
		{Name: "enumerate_slow", Family: "enumeration", Meant: meant, Suits: objects,
			About: "300 ids in order, one in 20 s, one in ten missing", Play: walk(300, 20*second, .1, following)},
		{Name: "enumerate_random", Family: "enumeration", Meant: meant, Suits: objects,
			About: "300 ids at random, one a second, one in two missing", Play: walk(300, second, .5, anywhere)},
	}
}

// objects says that the identity asks for single objects.
func objects(id *Identity) bool { return id.Class != batch }

// objectRoute is a route of single objects that the victim's class uses.
func (a *Attack) objectRoute() uint8 {
	if a.Victim.Class == bursty {
		return getBuild
	}
	return getOrder
}
