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
		r.Version = 2
	}
	return nil
}

// fromLayout1: errors became errors and mistakes, the lower CUSUM of a residual
// the spread, the error share two spreads; habits got versions in place of
// methods, and methods in place of spare bytes, populations whom they learned
// from last. Nothing is known of any of these yet.
func (r *Record) fromLayout1() {
	r.Rings.Errors10m, r.Rings.Mistakes10m = [3]uint16{}, [3]uint16{}
	r.Bytes.Spread, r.Records.Spread = 0, 0
	r.Spreads.Bytes10m, r.Spreads.Records10m = 0, 0
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
