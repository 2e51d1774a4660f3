package scoring

import (
	"time"

	"github.com/wonted-project/wonted/scoring/window"
)

// newObjects: it touches more objects that it has not touched lately than is
// usual, as does whoever walks ids. It speaks only about requests that touch a
// new one, so that a throttle stops the walk and nothing else.
type newObjects struct{}

func (newObjects) judge(l *look) {
	object := l.ex.Route.Object
	if object == 0 {
		return
	}
	l.ex.scratch.findings.run(NewObjects)
	if l.habits.Objects.Has(object) {
		return
	}
	if !l.entity.foreign {
		l.countNew()
	}
	l.entity.newObject = true
	newObjects{}.compare(l)
}

// compare holds what is counted against what is usual.
func (newObjects) compare(l *look) {
	r, b, c := &l.rec.HabitRings, &l.rec.Baseline, l.cohort
	best := Evidence{Detector: NewObjects, Unit: "objects", Bits: ordinary}
	k := window.Sum(r.New1m[:])
	bits, expected := c.new10m.bits(k, &b.New10m, l.anchor(anchorNew))
	if bits = l.entity.precedents.hold(new10m, k, bits); bits > best.Bits {
		best.Bits, best.Observed, best.Expected, best.Window = bits, k, expected, 10*time.Minute
	}
	k = window.Sum(r.New10m[:])
	bits, expected = c.new1h.bits(k, &b.New1h, 0)
	if bits = l.entity.precedents.hold(new1h, k, bits); bits > best.Bits {
		best.Bits, best.Observed, best.Expected, best.Window = bits, k, expected, time.Hour
	}
	l.find(best)
}

func (l *look) countNew() {
	window.Add(l.rec.HabitRings.New1m[:], minute, l.now, 1)
	window.Add(l.rec.HabitRings.New10m[:], tenMinutes, l.now, 1)
}

// learn remembers the object. An object that is not there is not remembered:
// it stays new, however often it is asked for.
func (newObjects) learn(l *look, weight float64) {
	if l.ex.Route.Object != 0 && l.ex.Status < 400 && weight > 0.01 {
		l.habits.Objects.Add(l.ex.Route.Object)
	}
}
