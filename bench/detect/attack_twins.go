package detect

// twins are days on which somebody honest does what attacks do too. The world
// has its own of each (world.go); here every one of them comes to one identity
// alone, while its peers do nothing of the kind: the harder case.
func twins() []Scenario {
	return []Scenario{
		{Name: "release", Family: "twin", Benign: true, Suits: of(person, partner),
			About: "100 requests as ever, but the release is there for this one already",
			Play: func(a *Attack) {
				a.Victim.adopts = 0 // the ways of the release, as the world's take them
				a.Benign(100)
			}},
		{Name: "newcomer", Family: "twin", Benign: true,
			About: "an account's first 80 requests, as people of its kind make them",
			Play:  func(a *Attack) { a.settleIn(80) }},
		{Name: "sale", Family: "twin", Benign: true, Suits: of(person),
			About: "three visits within an hour or two, each as long as usual",
			Play: func(a *Attack) {
				for range 3 {
					a.visit(1)
					a.Wait(20 * minute)
				}
			}},
		{Name: "month_end", Family: "twin", Benign: true, Suits: of(batch), Runs: 60,
			About: "the nightly run, six times as long",
			Play:  func(a *Attack) { a.visit(6) }},
		{Name: "ci_robots", Family: "twin", Benign: true, Suits: of(bursty),
			About: "a build five times as long as usual, from machines that are new",
			Play: func(a *Attack) {
				pool := &a.Victim.places[0].pool
				*pool += 1000
				a.visit(5)
			}},
		{Name: "travel", Family: "twin", Benign: true, Suits: of(person),
			About: "two visits from another country, with its own device",
			Play: func(a *Attack) {
				id := a.Victim
				there, _ := a.Stranger(true)
				id.away = span{a.Now - hour, a.Now + 3*day}
				id.abroad = place{kind: home, address: there&^0xFFFFFF | Address(a.Rand.IntN(20_000))<<8 | 7}
				a.visit(1)
				a.Wait(5 * hour)
				a.visit(1)
			}},
		{Name: "retry_storm", Family: "twin", Benign: true, Suits: of(poller, batch, bursty, partner),
			About: "200 requests that fail and are made again, four a second",
			Play: func(a *Attack) {
				a.startSitting()
				s := &a.Victim.sitting
				s.storm, s.left, s.gap = true, 200, 250
				a.Benign(200)
			}},
		{Name: "key_rotation", Family: "twin", Benign: true, Suits: of(partner),
			About: "a partner's new key, 60 requests with it",
			Play: func(a *Attack) {
				a.Victim.token++
				a.Benign(60)
			}},
		{Name: "daylight_saving", Family: "twin", Benign: true, Suits: of(person, bursty),
			About: "one visit, an hour earlier or later by the server's clock",
			Play: func(a *Attack) {
				if a.Rand.IntN(2) == 0 {
					a.Wait(hour)
				}
				a.visit(1)
			}},
	}
}

// startSitting lets the victim begin something now.
func (a *Attack) startSitting() {
	id := a.Victim
	id.next = a.Now
	id.sit(a.Now)
}

// visit is a whole sitting of the victim's from now on, so many times as long. Of
// a batch job it is the run, not its supervision.
func (a *Attack) visit(times float64) {
	a.startSitting()
	s := &a.Victim.sitting
	if s.status {
		s.status, s.left = false, int(draw(a.Rand, pair{a.Victim.requests, manners[batch].within}))
	}
	s.left = max(int(times*float64(s.left)), 1)
	for s.on && !a.Done() {
		a.Benign(1)
	}
}
