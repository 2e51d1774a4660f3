package profile

import "fmt"

// migrate makes a record of an older layout one of this, a version at a time.
// Layouts change within their 1,024 bytes, so what a step has to do is to say
// what becomes of the fields that mean something else from then on. A layout
// from the future is refused: what a newer wonted knows must not be guessed at.
func (r *Record) migrate() error {
	if r.Version == 0 || r.Version > Version {
		return fmt.Errorf("%w: layout version %d, and this wonted reads 1 to %d", ErrRecord, r.Version, Version)
	}
	if r.Version == 1 {
		r.fromLayout1()
	}
	if r.Version <= 2 {
		r.fromLayout2()
	}
	r.Version = Version
	return nil
}

// part is a piece of a record, in bytes.
type part struct{ at, size int }

// newInLayout2 are the common fields that meant something else in layout 1:
// errors became errors and mistakes, the lower CUSUM of a residual the spread,
// the error share two spreads.
var newInLayout2 = [...]part{{180, 12}, {292, 4}, {316, 4}, {464, 8}}

// fromLayout1 makes it one of layout 2. Habits got versions in place of methods,
// and methods in place of spare bytes, populations whom they learned from last.
// Nothing is known of any of these yet.
func (r *Record) fromLayout1() {
	for _, p := range newInLayout2 {
		clear(r.bytes()[p.at : p.at+p.size])
	}
	switch {
	case r.Kind == KindRoute:
		r.Population().Last = 0
	case r.Kind.habitual():
		h := r.Habits()
		clear(h.Versions[:])
		clear(h.Methods[:])
		h.Session.Methods, h.Session.Versions = 0, 0
	}
}

// commonAt is where the header ends.
const commonAt = 64

// orderOf2 is where layout 2 had the common fields behind the header, in the
// order of layout 3.
var orderOf2 = [...]part{
	{88, 44},  // requests 10 s, 1 min, 10 min
	{180, 12}, // errors, mistakes
	{132, 48}, // requests 1 h
	{224, 20}, // precedents
	{440, 24}, // anchors
	{320, 36}, // usual requests
	{416, 12}, // usual errors
	{356, 60}, // usual new objects, bytes, records
	{428, 12}, // usual switches
	{192, 32}, // new objects
	{244, 28}, // bytes, records, switches
	{272, 48}, // residuals
	{464, 8},  // spreads
	{64, 24},  // name
}

// fromLayout2 makes it one of layout 3, which has what is used together together.
func (r *Record) fromLayout2() {
	old, at := *r.bytes(), commonAt
	for _, p := range orderOf2 {
		at += copy(r.bytes()[at:], old[p.at:p.at+p.size])
	}
}
