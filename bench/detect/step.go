package detect

import "math"

// step makes the identity's call at id.next and moves on to the one after it.
func (id *Identity) step(c *Call) {
	rng, s, m := id.rng, &id.sitting, &manners[id.Class]
	t := id.next
	if !s.on {
		id.sit(t)
	}
	*c = Call{At: t, From: id.Class, Caller: id.Number, Address: s.address, Device: s.device, Bytes: -1, Records: -1}
	if id.Class == partner {
		c.Credential = id.token
		c.Address = pick(rng, id.places).address // whichever gateway is free
	}
	c.Session = id.session
	gap := draw(rng, pair{s.gap, m.gap.sigma})
	switch {
	case s.reset:
		s.reset = false
		id.signIn(c, postReset, 202)
		s.signIn = 1
	case s.signIn == 2: // the session has expired
		id.ask(c, id.follow(t))
		c.Status, c.Bytes, c.Records = 401, 120, -1
		s.signIn = 1
	case s.signIn == 1:
		if rng.IntN(20) == 0 {
			id.signIn(c, postLogin, 401)
			break
		}
		id.signIn(c, postLogin, 200)
		s.signIn = 0
		id.session = id.Number<<8 | uint32(t/day)&255
	case s.retry > 0:
		s.retry--
		id.ask(c, s.route)
		id.respond(c)
		if c.Status < 400 {
			s.retry = 0
		}
		gap = max(gap, 500)
	default:
		s.left--
		s.route = id.follow(t)
		id.ask(c, s.route)
		id.respond(c)
		if c.Status == 429 || c.Status >= 500 {
			s.retry = 1 + rng.IntN(3)
			if id.Class == person {
				s.retry = rng.IntN(2)
			}
		}
	}
	c.Took = int32(draw(rng, pair{40, .8}))
	if rng.Float64() < m.pause {
		gap += float64(minute) * (1 + 2*rng.ExpFloat64())
	}
	id.next = t + int64(min(max(gap, 10), float64(25*minute)))
	if s.left == 0 && s.retry == 0 {
		s.on = false
		id.next = id.nextSitting(id.next)
	}
}

// signIn makes the call an attempt to sign in: nobody yet, but an address and
// the name that was given.
func (id *Identity) signIn(c *Call, route uint8, status uint16) {
	c.Caller, c.Session, c.User = 0, 0, id.Number
	c.Route, c.Status, c.RequestBytes = route, status, 64+int64(id.Number%20)
	c.Bytes = int64(api[route].each)
	if status >= 400 {
		c.Bytes = 130
	}
}

// follow is the route after the last one.
func (id *Identity) follow(t int64) int {
	rng, s := id.rng, &id.sitting
	if s.status {
		return getStatus
	}
	if rng.Float64() < manners[id.Class].wander {
		return int(id.uses[rng.IntN(len(id.uses))])
	}
	if t > id.adopts && id.Class != batch && id.Class != poller && s.route >= 0 {
		if way := released[s.route]; way != nil && (len(id.ways[s.route+1]) == 0 || rng.Float64() < .25) {
			return choose(rng.Float64(), way)
		}
	}
	return id.onward(s.route)
}

// onward is where it goes from a route, by its own ways alone.
func (id *Identity) onward(route int) int {
	way := id.ways[route+1]
	if len(way) == 0 {
		way = id.ways[start+1]
	}
	return choose(id.rng.Float64(), way)
}

// choose takes an edge by weight; weights need not add up to one.
func choose(u float64, way []edge) int {
	sum := 0.0
	for _, e := range way {
		sum += e.weight
	}
	u *= sum
	for _, e := range way {
		if u -= e.weight; u < 0 {
			return int(e.to)
		}
	}
	return int(way[len(way)-1].to)
}

// ask sets route, object and page.
func (id *Identity) ask(c *Call, route int) {
	c.Route = uint8(route)
	e := &api[route]
	if e.list {
		c.Limit = id.sitting.limit
		if route == getExport {
			c.Limit = max(c.Limit, 100)
		}
	}
	if e.of != none {
		c.Object = id.object(e.of, c.At)
	}
	if e.method == "POST" || e.method == "PUT" || e.method == "PATCH" {
		c.RequestBytes = int64(200 * math.Exp(.6*id.rng.NormFloat64()))
	}
}

// object is what a request is about: something of late, or something new.
func (id *Identity) object(of resource, t int64) uint64 {
	rng, r := id.rng, &id.recent[of]
	if r.n > 0 && rng.Float64() >= manners[id.Class].fresh {
		return r.ids[rng.IntN(min(r.n, len(r.ids)))]
	}
	var n uint64
	switch {
	case of == product:
		u := rng.Float64()
		n = 1 + uint64(20_000*u*u*u*u)
	case of == customer: // its own, one after the other, and round again
		id.cursor[of]++
		n = uint64(id.Number)*100_003 + id.cursor[of]%(200+uint64(id.Number%7)*300)*uint64(id.stride)
	case id.Class == batch: // what has come since yesterday, in its order
		first, now := sequence(t-day), sequence(t)
		if id.cursor[of] < first || id.cursor[of] > now {
			id.cursor[of] = first
		}
		id.cursor[of] += 1 + uint64(id.stride*rng.ExpFloat64())
		n = id.cursor[of]
	default:
		n = sequence(t - exponential(rng, 6*hour))
	}
	r.add(n)
	return n
}

// sequence is the id that a moment's new order, report or message gets: one in
// two seconds, whoever it is for.
func sequence(t int64) uint64 { return uint64(t-monday)/2000 + 9_000_000 }

// respond sets what the upstream answers.
func (id *Identity) respond(c *Call) {
	rng, s := id.rng, &id.sitting
	e := &api[c.Route]
	u := rng.Float64()
	switch {
	case s.storm, u < .3 && id.world.failing(c.At):
		id.fail(c, [...]uint16{503, 503, 429, 504}[rng.IntN(4)])
		return
	case u < s.errors:
		id.fail(c, [...]uint16{404, 404, 404, 400, 400, 422, 409, 429, 500, 503}[rng.IntN(10)])
		return
	}
	c.Status = e.status
	switch {
	case c.Status == 204:
		c.Bytes = 0
		return
	case id.Class == poller && rng.IntN(2) == 0 && e.list:
		c.Status, c.Bytes = 304, 0
		return
	}
	c.Bytes, c.Records = id.sizes(c, rng.NormFloat64(), rng.Float64())
}

// sizes is what a good answer holds: as many records as there are, up to the
// page, each as large as this identity's records are. u is even, z normal.
func (id *Identity) sizes(c *Call, z, u float64) (bytes, records int64) {
	e := &api[c.Route]
	n := 1.0
	if e.list {
		there := id.holds[c.Route]
		switch c.Route {
		case getProducts, getStock, getRecommendations:
			there = 20_000
		case getExport:
			there = 50_000
		case getSearch:
			there *= 4 * u * u
		case getCart, getWishlist:
			there = 1 + 6*u*u
		default:
			there *= .8 + .4*u
		}
		n = there
		if c.Limit > 0 {
			n = min(n, float64(c.Limit))
		}
		n = math.Floor(n)
	}
	size := e.fixed + n*e.each*id.size*math.Exp(.2*z)
	if u > .998 { // a record in five hundred is far larger than the others
		size *= 1 + 20*(u-.998)/.002
	}
	if !e.records {
		return int64(size), -1
	}
	return int64(size), int64(n)
}

// fail answers with an error.
func (id *Identity) fail(c *Call, status uint16) {
	c.Status, c.Bytes, c.Records = status, 110+int64(status%7)*9, -1
}
