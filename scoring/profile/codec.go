package profile

import (
	"errors"
	"fmt"
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

// ErrRecord is wrapped by Decode's errors.
var ErrRecord = errors.New("no profile record")

// Encode appends the record's 1,024 bytes to b.
func Encode(b []byte, r *Record) []byte { return append(b, r.bytes()[:]...) }

// Decode reads a record of this layout or an older one from its 1,024 bytes.
// Whatever they are it does not panic, and what it accepts is safe to compute
// with: a number that nothing could have written there (NaN, infinite, a negative
// count) becomes 0, which is "nothing known", together with what only makes sense
// beside it.
func Decode(b []byte, r *Record) error {
	if len(b) != RecordSize {
		return fmt.Errorf("%w: %d bytes instead of %d", ErrRecord, len(b), RecordSize)
	}
	copy(r.bytes()[:], b)
	if r.Kind == KindNone || int(r.Kind) >= KindCount {
		return fmt.Errorf("%w: unknown kind %d", ErrRecord, r.Kind)
	}
	if err := r.migrate(); err != nil {
		return err
	}
	r.sanitise()
	return nil
}

// limit is beyond any mean, count or sum of squares that a record can come to
// hold (the largest, of requests an hour, is 65535^2 x 72), and small enough
// for two Moments to merge inside float32.
const limit = 1e12

func (r *Record) sanitise() {
	r.LastSeen = max(r.LastSeen, r.Created)
	for _, res := range []*Residual{&r.Bytes, &r.Records} {
		sanitiseMoments(&res.Y)
		real32(&res.Anchor)
		real32(&res.Lately)
		count32(&res.Spread)
	}
	for _, m := range []*window.Moments{
		&r.Baseline.Requests1m, &r.Baseline.Requests10m, &r.Baseline.Requests1h,
		&r.Baseline.New10m, &r.Baseline.New1h, &r.Baseline.Bytes10m, &r.Baseline.Records10m,
		&r.Baseline.Errors10m, &r.Baseline.Companions10m, &r.Baseline.Mix10m,
	} {
		sanitiseMoments(m)
	}
	for i := range r.Anchors {
		real32(&r.Anchors[i])
	}
	count32(&r.Spreads.Bytes10m)
	count32(&r.Spreads.Records10m)
	count32(&r.Mix.Sum)
	count32(&r.Mix.Up)
	switch {
	case r.Kind == KindRoute:
		p := r.Population()
		sanitiseMoments(&p.Bytes)
		sanitiseMoments(&p.Records)
		for _, peak := range []*window.Peak{&p.LargestBytes, &p.LargestRecords, &p.LargestMetered} {
			count32(&peak.Most)
		}
		count32(&p.BeforeN)
		sanitiseNovelty(&p.Adjacent)
		sanitiseNovelty(&p.Foreign)
	case r.Kind.habitual():
		r.Habits().sanitise()
	default: // the rest of a crowd is bits, registers and counts: any are valid
		sanitiseMoments(&r.Crowd().SignIns.Usual)
	}
}

func (h *Habits) sanitise() {
	for _, slots := range [][]window.Slot{h.Devices[:], h.Networks[:]} {
		for i := range slots {
			if count32(&slots[i].Weight); slots[i].Weight == 0 {
				slots[i] = window.Slot{}
			}
		}
	}
	for _, n := range []*window.Novelty{&h.DeviceNovelty, &h.NetworkNovelty, &h.CountryNovelty} {
		sanitiseNovelty(n)
	}
	if count32(&h.Hours.Scale); h.Hours.Scale == 0 {
		h.Hours = window.Hours{}
	}
	count32(&h.Evidence)
	count32(&h.Bets)
	for i := range h.Challenger.Mean {
		real32(&h.Challenger.Mean[i])
	}
}

func sanitiseNovelty(n *window.Novelty) {
	count32(&n.N)
	count32(&n.New)
	n.New = min(n.New, n.N)
}

// sanitiseMoments forgets a triple that cannot be one: the three mean nothing apart.
func sanitiseMoments(m *window.Moments) {
	if !(m.N >= 0 && m.N <= limit) || !(m.M2 >= 0 && m.M2 <= limit) || !(math.Abs(float64(m.Mean)) <= limit) {
		*m = window.Moments{}
	}
}

// real32 zeroes what is no number or out of all range.
func real32(v *float32) {
	if !(math.Abs(float64(*v)) <= limit) { // NaN compares false
		*v = 0
	}
}

// count32 zeroes what is no count.
func count32(v *float32) {
	if !(*v >= 0 && *v <= limit) {
		*v = 0
	}
}
