package scoring

import "slices"

// takeover: device, network and hour are new at once. Each alone is benign
// more often than not, a new laptop, a journey, a late night; together they
// look like somebody else.
type takeover struct{}

// together is the least chance that a second thing is new, given that one is:
// a new laptop often comes with a journey. Independence would make the product
// far too small.
const together = 1.0 / 20

// judge multiplies the chances of what is new, the rarest in full:
//
//	p = p1 max(p2, 1/20) max(p3, 1/20)    p1 <= p2 <= p3
//
// Each chance is that of an event (never seen, or an hour this rare), not a
// sample from a uniform, so the product needs no Fisher correction, which
// would dilute it by several orders of magnitude.
func (takeover) judge(l *look) {
	if !l.mature {
		return
	}
	l.ex.scratch.findings.run(Takeover)
	var room [3]float64
	fresh := room[:0]
	for _, p := range [...]float64{l.context.device, l.context.network, l.context.hour} {
		if p > 0 {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) < 2 {
		return
	}
	l.find(Evidence{Detector: Takeover, Unit: l.freshUnit(), Bits: bitsOf(jointly(fresh)), Observed: float64(len(fresh))})
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

func (l *look) freshUnit() string {
	switch {
	case l.context.hour == 0:
		return "device and network"
	case l.context.network == 0:
		return "device and hour"
	case l.context.device == 0:
		return "network and hour"
	}
	return "device, network and hour"
}
