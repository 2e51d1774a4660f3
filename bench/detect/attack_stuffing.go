package detect

import "github.com/wonted-project/wonted/scoring"

// stuffings try names with passwords. Records lost are accounts here: whose
// password was right. None has a victim; the caller is whoever tries.
//
// A list that was stolen elsewhere holds customers of this service among many
// who are none, and its passwords are old: one try in 200 succeeds, of the one
// in a thousand to one in fifty that operators report. Who sprays knows the
// names, of one domain's mail addresses say, and guesses the passwords: the
// commonest are those of about one in 200 too.
func stuffings() []Scenario {
	meant := []scoring.Detector{scoring.Stuffing}
	return []Scenario{
		{Name: "stuffing_burst", Family: "stuffing", Meant: meant, Twin: "office_nat", Runs: 60,
			About: "1,500 names of a stolen list, 50 a second, from one address",
			Play: func(a *Attack) {
				from, device := a.Stranger(true)
				for range 1500 {
					a.try(a.listed(), from, device)
					a.Wait(20)
				}
			}},
		{Name: "stuffing_slow", Family: "stuffing", Meant: meant, Twin: "office_nat", Runs: 60,
			About: "400 names of a stolen list, one a minute, from one address",
			Play: func(a *Attack) {
				from, device := a.Stranger(false)
				for range 400 {
					a.try(a.listed(), from, device)
					a.Wait(exponential(a.Rand, minute))
				}
			}},
		{Name: "stuffing_spread", Family: "stuffing", Meant: meant, Twin: "reset_wave", Runs: 60,
			About: "a stolen list from 940 addresses where people live, 1.25 tries each, 20 a minute",
			Play:  func(a *Attack) { a.spread(1175, 940, a.listed, 3*second) }},
		{Name: "spraying_one", Family: "spraying", Meant: meant, Twin: "cgnat", Runs: 60,
			About: "one password on 2,000 customers, 2 a second, from one address",
			Play: func(a *Attack) {
				from, device := a.Stranger(true)
				for range 2000 {
					a.try(a.customer(), from, device)
					a.Wait(second / 2)
				}
			}},
		{Name: "spraying_spread", Family: "spraying", Meant: meant, Twin: "reset_wave", Runs: 40,
			About: "three passwords on 1,000 customers, from 300 addresses where people live, 20 a minute, with hours between",
			Play: func(a *Attack) { // between: an account that locks after three failures in a row never does
				for range 3 {
					a.spread(1000, 300, a.customer, 3*second)
					a.Wait(3 * hour)
				}
			}},
	}
}

// try signs in with a password that is mostly wrong.
func (a *Attack) try(user uint32, from Address, device uint32) {
	right := a.Rand.IntN(200) == 0
	if a.signIn(user, from, device, right); right {
		a.trial.records++
	}
}

// signIn plays one attempt.
func (a *Attack) signIn(user uint32, from Address, device uint32, right bool) {
	c := Call{Route: postLogin, From: person, User: user, Address: from, Device: device, Status: 401,
		Bytes: 130, Records: -1, RequestBytes: 64 + int64(user%20)}
	if right {
		c.Status, c.Bytes = 200, int64(api[postLogin].each)
	}
	a.Play(c)
}

// spread makes n attempts from so many addresses, with the commonest of
// browsers: an attacker who rents lines at people's homes copies those too.
func (a *Attack) spread(n, addresses int, next func() uint32, gap int64) {
	from := make([]Address, addresses)
	for i := range from {
		from[i] = a.anyHome()
	}
	for range n {
		a.try(next(), from[a.Rand.IntN(addresses)], a.anyBrowser())
		a.Wait(exponential(a.Rand, gap))
	}
}

// anyHome is a line at somebody's home, as people of the population have.
func (a *Attack) anyHome() Address {
	return AddressOf(homeCountry(a.Rand), uint16(a.Rand.IntN(20_000)), uint8(1+a.Rand.IntN(250)))
}

func (a *Attack) anyBrowser() uint32 { return fingerprint(a.Rand, person) }

// customer is one of the population or of nine times as many who are seldom
// there: of an account that is known most have not been used of late.
func (a *Attack) customer() uint32 {
	return 1 + a.Rand.Uint32N(10*uint32(a.engine.world.identities))
}

// listed is a name of a list that was stolen elsewhere: one in four a customer.
func (a *Attack) listed() uint32 {
	if a.Rand.IntN(4) == 0 {
		return a.customer()
	}
	return 1<<24 + a.Rand.Uint32N(1<<24)
}
