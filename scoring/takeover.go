package scoring

import "slices"

// takeover: device, network, country and hour are new at once. Each alone is benign
// more often than not, a new laptop, a journey, a late night; together they
// look like somebody else.
type takeover struct{}

// together is the least chance that a second thing is new, given that one is:
// a new laptop often comes with a journey. Independence would make the product
// far too small.
const together = 1.0 / 20

// abroad is the least chance that a new network is in a new country. It is
// large, since a traveller's hours move with the country.
const abroad = 1.0 / 2

// judge multiplies the chances of what is new. They are not independent, so by the
// model alone only the rarest counts in full:
//
//	p = p1 max(p2, 1/20) max(p3, 1/20)    p1 <= p2 <= p3
//
// while peers are compared by the product of all, which ranks best: how often so
// much is new at once they say themselves. Each chance is that of an event (never
// seen, or an hour this rare), not a sample from a uniform, so the product needs
// no Fisher correction, which would dilute it by several orders of magnitude.
func (takeover) judge(l *look) {
	if !l.mature {
		return
	}
	l.ex.scratch.findings.run(Takeover)
	var room [3]float64
	fresh, all := room[:0], 1.0
	for _, p := range [...]float64{l.context.device, l.context.network, l.context.hour} {
		if p > 0 {
			fresh = append(fresh, p)
			all *= p
		}
	}
	if len(fresh) < 2 {
		return
	}
	p, parts := jointly(fresh), len(fresh)
	if c := l.context.country; c > 0 && l.context.network > 0 { // behind a known network, a new country is a correction of the map
		p *= max(c, abroad)
		all *= c
		parts++
	}
	l.find(Evidence{Detector: Takeover, Unit: l.freshUnit(), Bits: bitsOf(p), raw: bitsOf(all), Observed: float64(parts)})
}

// jointly is the chance of all of it at once; 1 for nothing. It sorts its argument.
func jointly(fresh []float64) float64 {
	if len(fresh) == 0 {
		return 1
	}
	slices.Sort(fresh)
	p := fresh[0]
	for _, next := range fresh[1:] {
		p *= max(next, together)
	}
	return p
}

func (takeover) learn(*look, float64) {}

// freshUnit names what is new. A country counts only beside its network.
func (l *look) freshUnit() string {
	c := &l.context
	abroad := c.network > 0 && c.country > 0
	switch {
	case c.network == 0:
		return "device and hour"
	case c.hour == 0 && abroad:
		return "device, network and country"
	case c.hour == 0:
		return "device and network"
	case c.device == 0 && abroad:
		return "network, country and hour"
	case c.device == 0:
		return "network and hour"
	case abroad:
		return "device, network, country and hour"
	}
	return "device, network and hour"
}
