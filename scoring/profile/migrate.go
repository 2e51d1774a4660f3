package profile

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

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
	if r.Version <= 3 {
		r.fromLayout3()
	}
	r.Version = Version
	return nil
}

// part is a piece of a record, in bytes.
type part struct{ at, size int }

// newInLayout2 are the common fields that meant something else in layout 1:
// errors became errors and mistakes, the lower CUSUM of a residual the spread,
// the error share two spreads. The tail's follow: habits got versions in place
// of methods, and methods in place of spare bytes, populations whom they learned
// from last. Nothing is known of any of these yet.
var (
	newInLayout2 = [...]part{{180, 12}, {292, 4}, {316, 4}, {464, 8}}
	newOfRoutes  = [...]part{{tailAt + 24, 4}}
	newOfHabits  = [...]part{{tailAt + 496, 16}, {tailAt + 522, 2}, {tailAt + 544, 8}}
)

// Where the header ends, and where the tail begins, in every layout.
const (
	commonAt = 64
	tailAt   = 472
)

func (r *Record) clear(parts []part) {
	for _, p := range parts {
		clear(r.bytes()[p.at : p.at+p.size])
	}
}

// fromLayout1 makes it one of layout 2.
func (r *Record) fromLayout1() {
	r.clear(newInLayout2[:])
	switch {
	case r.Kind == KindRoute:
		r.clear(newOfRoutes[:])
	case r.Kind.habitual():
		r.clear(newOfHabits[:])
	}
}

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
func (r *Record) fromLayout2() { r.move(commonAt, orderOf2[:]) }

// move puts the parts of the record one behind the other, from at on.
func (r *Record) move(at int, parts []part) {
	old := *r.bytes()
	for _, p := range parts {
		to := r.bytes()[at : at+p.size]
		if p.at == nowhere {
			clear(to)
		} else {
			copy(to, old[p.at:])
		}
		at += p.size
	}
}

// nowhere is a part that an older layout did not have.
const nowhere = -1

// orderOf3 is where layout 3 had the common fields behind the header, in the
// order of layout 4.
var orderOf3 = [...]part{
	{64, 56},      // requests 10 s, 1 min, 10 min, errors, mistakes
	{nowhere, 2},  // the open hour, which was one of a day's
	{168, 20},     // precedents
	{nowhere, 14}, // tried routes
	{188, 24},     // anchors
	{212, 84},     // usual requests, errors, new objects, bytes of ten minutes
	{308, 24},     // usual records, companions
	{nowhere, 12}, // usual mix
	{332, 60},     // rings of habits
	{nowhere, 20}, // switches, returns and what is usual of them
	{392, 56},     // residuals, spreads
	{nowhere, 12}, // mix, spare
	{448, 24},     // name
}

// habitsOf3 is the same of the tail of those with habits.
var habitsOf3 = [...]part{
	{tailAt, 128},       // devices, networks
	{nowhere, 16},       // companions, which were wider
	{tailAt + 168, 140}, // countries, hours, endpoints
	{nowhere, 68},       // steps, the last endpoint, those in use
	{tailAt + 384, 64},  // recent objects
	{tailAt + 496, 24},  // versions, e-CUSUM, elevated
	{nowhere, 2},        // the alert day, which was never written
	{tailAt + 522, 2},   // the session's
	{nowhere, 8},        // contexts
	{tailAt + 532, 10},  // last accepted, open
	{nowhere, 2},        // spare
	{tailAt + 544, 8},   // methods
	{nowhere, 80},       // challenger, behaviour, walk, order
}

// Where layout 3 had its ring of 24 hours, and the companions.
const (
	hoursOf3      = 120
	companionsOf3 = tailAt + 128
)

// fromLayout3 makes it one of layout 4. What was never written to (bigrams, bytes
// an hour, the context before) or only told of (distinct objects) made room; of
// a day's hours the open one is kept.
func (r *Record) fromLayout3() {
	old := *r.bytes()
	r.move(commonAt, orderOf3[:])
	r.Rings.Hour = binary.LittleEndian.Uint16(old[hoursOf3+2*(r.LastSeen/3600%24):])
	if !r.Kind.habitual() {
		return // what the others got was spare
	}
	r.move(tailAt, habitsOf3[:])
	r.Habits().Bets = 0
	companions := window.SmallSlots(r.Habits().Companions[:])
	for i := range companions {
		at := companionsOf3 + 8*i
		weight := math.Float32frombits(binary.LittleEndian.Uint32(old[at+4:]))
		if id := binary.LittleEndian.Uint16(old[at:]); weight > 0 && weight <= limit {
			companions.Touch(max(id, 1), float64(weight))
		}
	}
}
