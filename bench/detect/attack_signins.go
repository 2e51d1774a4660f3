package detect

// signIns are what looks like stuffing: many people at the sign-in, some of them
// with the wrong password. All of them come from where they never signed in
// before, which is the harder case. A trial is of hundreds of callers, so of as
// many windows: at a rate of 1e-3 a window, one in three or so is found by chance.
func signIns() []Scenario {
	return []Scenario{
		{Name: "office_nat", Family: "twin", Benign: true, Runs: 60,
			About: "an office has moved: 300 people sign in from one new address in an hour, one in twelve mistypes",
			Play:  func(a *Attack) { a.behindOne(300, 1./12, 12*second) }},
		{Name: "reset_wave", Family: "twin", Benign: true, Runs: 60,
			About: "all passwords are void: 300 people from their homes in an hour, two in three try the old one first, one in five gives up",
			Play: func(a *Attack) {
				for range 300 {
					user, from, device := a.customer(), a.anyHome(), a.anyBrowser()
					if a.Rand.IntN(3) > 0 {
						for range 1 + a.Rand.IntN(2) {
							a.signIn(user, from, device, false)
							a.Wait(4 * second)
						}
					}
					if a.Rand.IntN(5) > 0 {
						a.signIn(user, from, device, true)
					}
					a.Wait(exponential(a.Rand, 5*second))
				}
			}},
		{Name: "cgnat", Family: "twin", Benign: true, Runs: 60,
			About: "a carrier puts 200 people behind one address: they sign in within 20 minutes, one in twenty mistypes",
			Play:  func(a *Attack) { a.behindOne(200, .05, 6*second) }},
	}
}

// behindOne lets n people sign in from one address, at the second or third try
// where they mistype.
func (a *Attack) behindOne(n int, mistypes float64, gap int64) {
	from, _ := a.Stranger(false)
	for range n {
		user, device := a.customer(), a.anyBrowser()
		for a.Rand.Float64() < mistypes {
			a.signIn(user, from, device, false)
			a.Wait(4 * second)
		}
		a.signIn(user, from, device, true)
		a.Wait(exponential(a.Rand, gap))
	}
}
