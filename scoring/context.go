package scoring

import (
	"math/bits"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// The context of a request is its device and its network together. Somebody's
// context changes now and then: a laptop at work, a telephone on the way. Two
// detectors count how often it does so in ten minutes, against what is usual for
// the identity: whose network hands every connection another way out is used to it.
//
// A context counts once the upstream has accepted a request from it. So a forger
// changes nobody's, and of requests that are under way at once only those change
// it that end by turns.

// switches: its context changes more often than is usual, as does that of a key
// that goes through rotating proxies, or that many hold.
type switches struct{}

func (switches) judge(l *look) {
	if l.switched() {
		k := 1 + window.Sliding(l.rec.HabitRings.Switches10m[:], tenMinutes, l.now)
		l.findCount(Switches, "switches", k, &l.rec.Contexts.Switches, &l.cohort.switches10m)
	}
}

func (switches) learn(*look, float64) {}

// replay: its context goes to and fro, A-B-A-B, as does that of a session that
// was copied and that its owner goes on using. One who moves, from A to B to C,
// does not return.
type replay struct{}

func (replay) judge(l *look) {
	if l.returned() {
		k := 1 + window.Sliding(l.rec.HabitRings.Returns10m[:], tenMinutes, l.now)
		l.findCount(Replay, "returns", k, &l.rec.Contexts.Returns, &l.cohort.returns10m)
	}
}

func (replay) learn(*look, float64) {}

// findCount asks about k in ten minutes, this request included.
func (l *look) findCount(d Detector, unit string, k float64, usual *window.SmallMoments, p *countPrior) {
	m := usual.Moments()
	s, expected := p.bits(k, &m, 0)
	l.find(Evidence{Detector: d, Unit: unit, Bits: s, Observed: k, Expected: expected, Window: 10 * time.Minute})
}

// closeCount takes the count of ten minutes that are over into its baseline.
func (l *look) closeCount(k float64, usual *window.SmallMoments, p *countPrior) {
	m := usual.Moments()
	l.close(taintedTen, k, &m, p, decay10m)
	*usual = m.Small()
}

// familiar is how many visits make a device or a network the identity's own.
const familiar = shrinkage

// unfamiliar marks a context one part of which is not familiar: its lowest bit.
const unfamiliar = 1

// switched: it comes in another context than the last, and one of the two is
// unfamiliar. Between contexts that are both its own, the addresses of a partner's
// gateway or a desk and a telephone, it may go as it likes.
func (l *look) switched() bool {
	id, c := l.contextID(), &l.habits.Context
	return id != 0 && c.Last != 0 && !same(id, c.Last) && (id|c.Last)&unfamiliar != 0
}

func (l *look) returned() bool { return l.switched() && same(l.contextID(), l.habits.Context.Before) }

// settled: it comes in the same context as the last that the upstream answered.
func (l *look) settled() bool { return same(l.contextID(), l.habits.Context.Last) }

// moveContext is called with every answer that the upstream gave to one it believed.
func (l *look) moveContext() {
	id, c, r := l.contextID(), &l.habits.Context, &l.rec.HabitRings
	if id == 0 {
		return
	}
	if same(id, c.Last) {
		c.Last = id // it may have become familiar
		return
	}
	if l.switched() {
		window.Add(r.Switches10m[:], tenMinutes, l.now, 1)
	}
	if l.returned() {
		window.Add(r.Returns10m[:], tenMinutes, l.now, 1)
	}
	c.Before, c.Last = c.Last, id
}

func same(a, b uint32) bool { return a|unfamiliar == b|unfamiliar }

// contextID is the device and the network, in 32 bits, with the mark of what is
// unfamiliar; 0 if there is neither.
func (l *look) contextID() uint32 {
	device, network := slotID(&l.ex.Entities[profile.KindDevice]), slotID(&l.ex.Entities[profile.KindNetwork])
	if device|network == 0 {
		return 0
	}
	id := max((device^bits.RotateLeft32(network, 16))&^unfamiliar, 2)
	if device != 0 && window.Slots(l.habits.Devices[:]).Weight(device) < familiar ||
		network != 0 && window.Slots(l.habits.Networks[:]).Weight(network) < familiar {
		id |= unfamiliar
	}
	return id
}
