package detect

import "math/rand/v2"

// Attack is one scenario as it is played on one victim, in a fork of the
// stream. A scenario calls Call for a request like the victim's own, changes
// what is different about it, and Plays it.
type Attack struct {
	Victim *Identity  // a copy, as it stands; its chances are Rand
	Other  *Identity  // somebody else: whose objects, whose data
	Rand   *rand.Rand // of this trial alone
	Now    int64      // milliseconds; Wait moves it

	engine *engine
	trial  *trial
	begin  int64
	window int64 // the ten minutes that are open, and what they came to
	most   []float32
	record func(*Call) // keeps what is played, for Emit; nil: nobody wants it
}

// Bounds of one trial: what has not been seen until then is not.
const (
	mostCalls  = 3000
	mostMillis = 3 * day
)

// Done says that the trial has reached its bounds. Play does nothing any more.
func (a *Attack) Done() bool {
	return a.trial.requests >= mostCalls || a.Now-a.begin > mostMillis
}

// Wait lets time pass.
func (a *Attack) Wait(ms int64) { a.Now += max(ms, 0) }

// WaitAbout lets so many milliseconds pass in the median.
func (a *Attack) WaitAbout(median, sigma float64) { a.Wait(int64(draw(a.Rand, pair{median, sigma}))) }

// Call is a request as the victim makes them: with its credentials, from where
// it is, with what it uses.
func (a *Attack) Call(route uint8) Call {
	id := a.Victim
	c := Call{Route: route, From: id.Class, Caller: id.Number, Session: id.session,
		Address: id.sitting.address, Device: id.sitting.device, Bytes: -1, Records: -1}
	if id.Class == partner {
		c.Credential = id.token
	}
	c.At = a.Now
	id.ask(&c, int(route))
	return c
}

// Stranger is where an attacker comes from: a machine that the victim has never
// used, in a network where it has never been. abroad: in another country too.
func (a *Attack) Stranger(abroad bool) (Address, uint32) {
	country := a.Victim.places[0].address.country()
	if abroad {
		country = 20 + a.Rand.IntN(44)
	}
	return AddressOf(uint8(country), uint16(60_000+a.Rand.IntN(5000)), uint8(1+a.Rand.IntN(250))), uint32(3000 + a.Rand.IntN(50))
}

// Play sends the request, now, and answers it: as the API would answer the
// victim, where the scenario has not set a status.
func (a *Attack) Play(c Call) {
	if a.Done() {
		return
	}
	c.At = a.Now
	if c.Status == 0 {
		c.Status = api[c.Route].status
		c.Bytes, c.Records = a.Victim.sizes(&c, a.Rand.NormFloat64(), a.Rand.Float64()*.99)
	}
	a.judge(&c)
}

// Benign lets the victim do what it would have done, for n requests; time
// passes as it takes.
func (a *Attack) Benign(n int) {
	id := a.Victim
	for range n {
		if a.Done() {
			return
		}
		id.next = max(id.next, a.Now)
		var c Call
		a.Now = id.next
		id.step(&c)
		a.judge(&c)
	}
}

// Usual sends n requests as the victim goes through the API, some seconds apart,
// with something changed about each, and returns the last.
func (a *Attack) Usual(n int, change func(*Call)) (c Call) {
	route := start
	for range n {
		route = a.Victim.onward(route)
		c = a.Call(uint8(route))
		change(&c)
		a.Play(c)
		a.WaitAbout(6000, .8)
	}
	return c
}

// judge plays one call through all judges and notes what they think of it.
func (a *Attack) judge(c *Call) {
	e, t := a.engine, a.trial
	if a.record != nil {
		a.record(c)
	}
	t.note(e, c, e.play(c, true))
	if w := a.Now / windowMillis; w != a.window || a.most == nil {
		a.closeWindow()
		a.window = w
		a.most = append(a.most[:0], e.scores...)
	} else {
		for j, score := range e.scores {
			a.most[j] = max(a.most[j], score)
		}
	}
}

// closeWindow keeps what the ten minutes that are over came to.
func (a *Attack) closeWindow() {
	a.trial.windows = append(a.trial.windows, a.most...)
}
