package detect

// signIns are what looks like stuffing: many people at the sign-in, some of them
// with the wrong password. All of them come from where they never signed in
// before, which is the harder case. A trial is of hundreds of callers, so of as
// many windows: at a rate of 1e-3 a window, one in three or so is found by chance.
func signIns() []Scenario {
	return []Scenario{
		{Name: "office_nat", Family: "twin", Benign: true, Runs: 60,
			About: "an office has moved: 300 people sign in from one new address in an hour, one in twelve mistypes",
			Play: func(a *Attack) {
				from, _ := a.Stranger(false)
				for range 300 {
					a.person(a.customer(), from, 1./12)
					a.Wait(int64(a.Rand.ExpFloat64() * float64(12*second)))
				}
			}},
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
					a.Wait(int64(a.Rand.ExpFloat64() * float64(5*second)))
				}
			}},
		{Name: "cgnat", Family: "twin", Benign: true, Runs: 60,
			About: "a carrier puts 200 people behind one address: they sign in within 20 minutes, one in twenty mistypes",
			Play: func(a *Attack) {
				from, _ := a.Stranger(false)
				for range 200 {
					a.person(a.customer(), from, .05)
					a.Wait(int64(a.Rand.ExpFloat64() * float64(6*second)))
				}
			}},
	}
}

// person signs in, at the second or third try where it mistypes.
func (a *Attack) person(user uint32, from Address, mistypes float64) {
	device := a.anyBrowser()
	for a.Rand.Float64() < mistypes {
		a.signIn(user, from, device, false)
		a.Wait(4 * second)
	}
	a.signIn(user, from, device, true)
}
