package detect

import "math"

// sitting is one visit, job or tick: requests that belong together.
type sitting struct {
	on      bool
	left    int // requests still to come
	route   int // of the last one; start before the first
	address Address
	device  uint32
	limit   uint32
	errors  float64
	gap     float64
	retry   int  // times that the last request is still to be repeated
	signIn  int8 // steps to a session: 2 the request that is refused, 1 the sign-in
	storm   bool // every request fails
	status  bool // every request asks for the status: what supervises a batch job
	reset   bool // begins with a new password
}

// activity is how busy an hour is, 1 at the busiest.
func (id *Identity) activity(t int64) float64 {
	local := t + id.offset
	if t >= id.world.clocks && id.Class != poller {
		local += hour
	}
	a := id.hours[local%day/hour]
	if weekday(local) >= 5 {
		a *= id.weekend
	}
	return a
}

// weekday counts from Monday, 0. The epoch was a Thursday.
func weekday(ms int64) int64 { return (ms/day + 3) % 7 }

// nextSitting is when it next begins something, after t.
func (id *Identity) nextSitting(t int64) int64 {
	switch id.Class {
	case poller:
		for range 2000 {
			t += int64(float64(id.period) * (1 + .04*id.rng.NormFloat64()))
			if id.always || id.activity(t) > .1 {
				break
			}
		}
		return t
	case batch:
		return id.nextJob(t)
	}
	// A Poisson process whose rate follows the hours, by thinning.
	bound := id.rate * marketingBoost
	for range 100_000 {
		t += int64(id.rng.ExpFloat64()/bound) + 1
		if id.rng.Float64()*marketingBoost < id.activity(t)*id.world.boost(id.Class, t) {
			break
		}
		if t > id.world.ends() {
			break
		}
	}
	return t
}

// nextJob is the nightly run, or before that the next look by what supervises it.
func (id *Identity) nextJob(t int64) int64 {
	local := t + id.offset
	run := local - local%day + id.nightly + id.rng.Int64N(4*minute)
	for run <= local+10*minute || id.rng.Float64() < .03 {
		run += day // a night in thirty it does not run
	}
	if id.period > 0 && local+id.period < run-10*minute {
		return t + id.period + id.rng.Int64N(minute)
	}
	return run - id.offset
}

// isRun tells the nightly run from supervision.
func (id *Identity) isRun(t int64) bool {
	since := (t+id.offset)%day - id.nightly
	return since >= 0 && since < 5*minute
}

// sit begins a sitting at t.
func (id *Identity) sit(t int64) {
	rng, m, w := id.rng, &manners[id.Class], id.world
	s := &id.sitting
	*s = sitting{on: true, route: start, limit: id.limit, gap: id.gap, errors: id.errors}
	n := draw(rng, pair{id.requests, m.within})
	switch id.Class {
	case batch:
		if !id.isRun(t) {
			n, s.status = 1+float64(rng.IntN(2)), true
			break
		}
		if weekday(t+id.offset) == 6 {
			n *= 1.7 // the weekly one
		}
		if t >= w.monthEnd && t < w.monthEnd+day {
			n *= 6
		}
		s.limit = []uint32{100, 200, 500, 1000}[id.Number%4]
	case person:
		s.signIn = id.signingIn(t)
		if t >= w.reset && !id.resets {
			id.resets = true
			s.reset = id.Number%3 == 0
		}
	case partner:
		if t >= w.reset && !id.resets { // keys are changed too
			id.resets = true
			if id.Number%3 == 0 {
				id.token++
			}
		}
	}
	s.left = max(int(min(n, 20_000)), 1)
	if rng.Float64() < m.otherPage {
		s.limit = min(s.limit*[...]uint32{2, 5, 10}[rng.IntN(3)], 1000)
	}
	if rng.IntN(100) == 0 { // something of theirs is broken, this time
		s.errors = min(s.errors*30, .5)
	}
	s.gap *= math.Exp(.3 * rng.NormFloat64())
	id.upkeep(t)
	s.address, s.device = id.whence(t)
}

// signingIn says whether a person's sitting begins with a sign-in: once a day,
// and sometimes only after a request that was refused.
func (id *Identity) signingIn(t int64) int8 {
	if t-id.signed < 20*hour {
		return 0
	}
	id.signed = t
	if id.rng.IntN(3) == 0 {
		return 2
	}
	return 1
}

// upkeep is what comes up every few weeks.
func (id *Identity) upkeep(t int64) {
	rng := id.rng
	s := &id.sitting
	if id.Class == person {
		switch k := rng.IntN(600); {
		case k < 4: // an update of one of its programs: a fingerprint that is new
			id.devices[rng.IntN(len(id.devices))] = 200 + uint32((t-id.world.begins())/day)*4 + uint32(rng.IntN(4))
		case k < 6: // another device
			id.devices[rng.IntN(len(id.devices))] = fingerprint(rng, person)
		case k < 9: // another line at home
			id.places[0].address = AddressOf(uint8(id.places[0].address.country()), uint16(rng.IntN(20_000)), uint8(1+rng.IntN(250)))
		}
		if t > id.trip {
			id.away = span{t, t + 2*day + rng.Int64N(4*day)}
			id.trip = id.away.to + exponential(rng, 50*day)
			id.abroad = place{kind: home, address: AddressOf(uint8(rng.IntN(40)), uint16(rng.IntN(20_000)), uint8(1+rng.IntN(250)))}
		}
		return
	}
	if t > id.deploy {
		id.deploy = t + exponential(rng, 40*day)
		if rng.IntN(2) == 0 {
			id.devices[0] = fingerprint(rng, id.Class)
		}
		if rng.IntN(2) == 0 && id.places[0].kind != runners {
			p := &id.places[rng.IntN(len(id.places))]
			p.address = AddressOf(uint8(p.address.country()), uint16(30_000+rng.IntN(2000)), uint8(1+rng.IntN(250)))
		}
	}
	if t > id.storm { // it retries what fails, without end
		id.storm = t + exponential(rng, 60*day)
		s.storm, s.left, s.gap = true, 60+rng.IntN(300), 250
	}
}

// whence is where a sitting comes from, and with what.
func (id *Identity) whence(t int64) (Address, uint32) {
	rng := id.rng
	device := id.devices[0]
	if n := len(id.devices); n > 1 && rng.Float64() < .35 {
		device = id.devices[1+rng.IntN(n-1)]
	}
	switch {
	case id.Class == person && id.away.holds(t):
		if rng.IntN(4) == 0 { // the next hotel
			id.abroad.address = AddressOf(uint8(id.abroad.address.country()), uint16(rng.IntN(20_000)), uint8(1+rng.IntN(250)))
		}
		return id.abroad.address, device
	case id.carrier && t >= id.world.carrier && rng.Float64() < .15:
		return AddressOf(uint8(id.places[0].address.country()), uint16(41_000+rng.IntN(400)), uint8(1+rng.IntN(250))), device
	}
	return pick(rng, id.places).now(rng), device
}
