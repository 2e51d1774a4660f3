package detect

import (
	"math/rand/v2"
	"time"
)

// Milliseconds.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// monday is when every run begins: 00:00 UTC on a Monday, so that the first
// days are working days, and a weekend is new before it is known.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()

// at is the time of a moment in milliseconds.
func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// world is what all identities share: the calendar, what happens to everybody,
// and who sits behind which network.
type world struct {
	seed       uint64
	identities int
	days       int
	training   int // days before the evaluation begins

	marketing int64   // midnight of the day on which people come three times as often, from 10 to 20 o'clock
	release   int64   // when the API has four routes more
	monthEnd  int64   // midnight of the day on which batches are six times as large
	reset     int64   // when passwords and keys are to be changed
	carrier   int64   // when a carrier begins to spread its customers over many networks
	clocks    int64   // when local clocks move by an hour
	outages   []span  // an upstream that fails three requests in ten
	offices   []place // each shared by about 25 people
}

type span struct{ from, to int64 }

func (s span) holds(t int64) bool { return s.from <= t && t < s.to }

// newWorld plans what happens. All of it lies in the evaluation days, where it
// can cost false alarms; with few days several things happen on one.
func newWorld(seed uint64, identities, days, training int) *world {
	w := &world{seed: seed, identities: identities, days: days, training: training}
	rng := rand.New(rand.NewPCG(seed, 0x776F726C64))
	evaluated := days - training
	nth := func(part float64) int64 { // the midnight that opens a part of the evaluation
		return monday + int64(training+min(int(part*float64(evaluated)), evaluated-1))*day
	}
	w.marketing = nth(.15)
	w.release = nth(.35) + 10*hour + rng.Int64N(4*hour)
	w.carrier = nth(.5)
	w.clocks = nth(.6)
	w.monthEnd = nth(.75)
	w.reset = nth(.9) + 8*hour
	for d := range days { // one in three days, for two to twelve minutes
		if rng.IntN(3) == 0 {
			from := monday + int64(d)*day + rng.Int64N(day)
			w.outages = append(w.outages, span{from, from + 2*minute + rng.Int64N(10*minute)})
		}
	}
	for range max(identities/40, 1) {
		country := homeCountry(rng)
		w.offices = append(w.offices, place{kind: office, address: AddressOf(country, uint16(20_000+rng.IntN(4000)), uint8(1+rng.IntN(250)))})
	}
	return w
}

func (w *world) begins() int64    { return monday }
func (w *world) evaluates() int64 { return monday + int64(w.training)*day }
func (w *world) ends() int64      { return monday + int64(w.days)*day }

// boost is how many times as often as usual a class comes.
func (w *world) boost(c Class, t int64) float64 {
	if c == person && t >= w.marketing+10*hour && t < w.marketing+20*hour {
		return marketingBoost
	}
	return 1
}

const marketingBoost = 3

// failing says whether the upstream is down.
func (w *world) failing(t int64) bool {
	for _, o := range w.outages {
		if o.holds(t) {
			return true
		}
	}
	return false
}

// homeCountry draws where somebody lives: half in one country.
func homeCountry(rng *rand.Rand) uint8 {
	u := rng.Float64()
	return uint8(12 * u * u * u)
}
