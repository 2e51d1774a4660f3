package detect

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Identity is one caller with its habits, and where it is in what it does.
// Everything that it draws comes from its own generator, so that what it does
// depends on the seed and its number, and on no other identity.
type Identity struct {
	Number uint32 // from 1
	Class  Class

	world *world
	rng   *rand.Rand

	// Habits.
	born, gone int64 // first and last moment
	offset     int64 // of local time from UTC
	hours      [24]float64
	weekend    float64
	rate       float64 // sittings a millisecond at the busiest hour
	period     int64   // of a poller; of a batch job's supervision, 0: none
	nightly    int64   // when a batch runs, milliseconds since local midnight
	always     bool    // a poller that does not sleep
	requests   float64 // median of a sitting
	gap        float64 // median between requests, ms
	errors     float64
	limit      uint32 // of lists
	ways       [endpoints + 1][]edge
	uses       []uint8 // every route that the class knows, for wandering
	holds      [endpoints]float64
	size       float64 // of a record, against the API's median
	stride     float64 // between the objects that it walks
	places     []place
	devices    []uint32
	carrier    bool // customer of the carrier that will spread over many networks
	adopts     int64
	token      uint32 // credential, of partners

	// What comes up every few weeks.
	deploy, storm, trip int64
	away                span
	abroad              place

	// Now.
	next    int64
	sitting sitting
	session uint32
	signed  int64 // when the session began
	recent  [resources]ring
	cursor  [resources]uint64
	resets  bool // has done what the reset asked for
}

// ring holds the last objects of one sort.
type ring struct {
	ids [8]uint64
	n   int
}

func (r *ring) add(id uint64) {
	r.ids[r.n%len(r.ids)] = id
	r.n++
}

// newIdentity draws an identity's habits.
func newIdentity(w *world, number uint32) *Identity {
	rng := rand.New(rand.NewPCG(w.seed, uint64(number)))
	id := &Identity{Number: number, world: w, rng: rng}
	id.Class = drawClass(rng)
	m := &manners[id.Class]

	id.born, id.gone = w.begins(), w.ends()
	if rng.Float64() < .1 { // newcomers
		id.born += rng.Int64N(w.ends() - w.begins())
	}
	if rng.Float64() < .04 {
		id.gone = id.born + rng.Int64N(w.ends()-id.born+1)
	}
	id.offset = int64(rng.IntN(3)) * hour
	id.weekend = m.weekend * math.Exp(.3*rng.NormFloat64())
	id.requests = draw(rng, m.requests)
	id.gap = draw(rng, m.gap)
	id.errors = min(draw(rng, m.errors), .2)
	id.size = math.Exp(.25 * rng.NormFloat64())
	id.limit = [...]uint32{10, 10, 20, 20, 25, 50, 100}[rng.IntN(7)]
	id.stride = 1 + math.Exp(3+rng.NormFloat64())
	for e := range id.holds {
		id.holds[e] = math.Exp(math.Log(40) + 1.2*rng.NormFloat64())
	}
	for range 1 + rng.IntN(3) {
		id.devices = append(id.devices, fingerprint(rng, id.Class))
		if id.Class != person {
			break
		}
	}
	id.settle()
	id.schedule(m)
	id.newWays()
	id.token = number<<4 | 1
	id.deploy = id.born + exponential(rng, 40*day)
	id.storm = id.born + exponential(rng, 60*day)
	id.trip = id.born + exponential(rng, 50*day)
	id.adopts = w.release + exponential(rng, 10*hour)
	for of := range id.cursor {
		id.cursor[of] = uint64(rng.IntN(1 << 20))
	}
	id.next = id.nextSitting(id.born)
	return id
}

func drawClass(rng *rand.Rand) Class {
	u := rng.Float64()
	for c, share := range shares {
		if u -= share; u < 0 {
			return Class(c)
		}
	}
	return person
}

// schedule draws when it comes.
func (id *Identity) schedule(m *manner) {
	rng := id.rng
	evening := 0.0
	if id.Class == person {
		evening = rng.Float64()
	}
	shift := rng.IntN(5) - 2 // some get up early
	sum := 0.0
	for h := range id.hours {
		from := (h + shift + 24) % 24
		id.hours[h] = m.nightly + (1-m.nightly)*((1-evening)*officeHours[from]+evening*eveningHours[from])
		sum += id.hours[h]
	}
	if m.sittings.median > 0 {
		id.rate = draw(rng, m.sittings) / (sum * float64(hour))
	}
	switch id.Class {
	case poller:
		id.period = minute * [...]int64{1, 5, 5, 10, 10, 15, 15, 30, 30, 60}[rng.IntN(10)]
		id.always = rng.Float64() < .7
	case batch:
		id.nightly = rng.Int64N(6 * hour)
		if rng.Float64() < .5 {
			id.period = hour
		}
	}
}

// newWays draws how this identity goes through the API: the class's ways, some
// of them much more and some much less its own.
func (id *Identity) newWays() {
	used := map[uint8]bool{}
	for from := start; from < endpoints; from++ {
		var own []edge
		sum := 0.0
		for _, e := range chains[id.Class][from] {
			used[e.to] = true
			weight := e.weight * math.Exp(.8*id.rng.NormFloat64())
			sum += weight
			own = append(own, edge{e.to, weight})
		}
		for i := range own {
			own[i].weight /= sum
		}
		id.ways[from+1] = own
	}
	for e := range uint8(endpoints) {
		if used[e] {
			id.uses = append(id.uses, e)
		}
	}
}

// copy is an identity that goes on independently from here, with chances of its
// own.
func (id *Identity) copy(rng *rand.Rand) *Identity {
	c := *id
	c.rng = rng
	c.places, c.devices = slices.Clone(id.places), slices.Clone(id.devices)
	return &c
}

// draw is a log-normal draw.
func draw(rng *rand.Rand, p pair) float64 {
	return p.median * math.Exp(p.sigma*rng.NormFloat64())
}

func exponential(rng *rand.Rand, mean int64) int64 {
	return int64(rng.ExpFloat64() * float64(mean))
}
