package main

import (
	"slices"
	"time"
)

// order gives exchanges back in the order of their times. A log is written when
// exchanges end, and carries when they began, so beginnings come out of order by
// as much as exchanges take. What comes later than the bounds allow is given back
// late. Equal times keep the order in which they came.
type order struct {
	waiting []moment // by time, from first on
	first   int
	bytes   int // of all that wait
	newest  time.Time
}

// How far out of order a log may be: whichever bound is met first.
const (
	lateness    = time.Minute
	lateEvents  = 1 << 14
	lateBytes   = 64 << 20
	compactFrom = 1 << 12 // free places at the front before they are closed up
)

// add takes one exchange in.
func (o *order) add(m moment) {
	at := len(o.waiting)
	if t := m.exchange.Time; t.Before(o.newest) {
		i, _ := slices.BinarySearchFunc(o.waiting[o.first:], t, func(w moment, t time.Time) int {
			if w.exchange.Time.After(t) {
				return 1
			}
			return -1
		})
		at = o.first + i
	} else {
		o.newest = t
	}
	o.waiting = slices.Insert(o.waiting, at, m)
	o.bytes += m.size
}

// due says whether the earliest has waited long enough.
func (o *order) due() bool {
	n := len(o.waiting) - o.first
	return n > 0 && (n > lateEvents || o.bytes > lateBytes || o.newest.Sub(o.waiting[o.first].exchange.Time) > lateness)
}

// take returns the earliest; ok is false where none waits.
func (o *order) take() (m moment, ok bool) {
	if o.first == len(o.waiting) {
		return moment{}, false
	}
	m = o.waiting[o.first]
	o.waiting[o.first] = moment{}
	o.bytes -= m.size
	if o.first++; o.first == len(o.waiting) || o.first >= compactFrom {
		o.waiting = slices.Delete(o.waiting, 0, o.first)
		o.first = 0
	}
	return m, true
}
