package detect

import (
	"slices"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// fork lets exchanges be played that must not have happened. Of each of them,
// every record that it may touch is copied before, and what it may write beside
// records; back puts all of it back byte for byte, and forgets records that were
// not there. So hundreds of attacks start from the same past, and the benign
// stream never hears of them.
type fork struct {
	store  *profile.Store
	scorer *scoring.Scorer

	keys    []profile.Key
	held    map[profile.Key]bool
	present []profile.Record
	absent  []profile.Key
	lines   []scoring.Line
}

// begin comes before the first exchange.
func (f *fork) begin() { f.scorer.Rehearse(true) }

// before copies what the exchange may touch. It is called before Begin.
func (f *fork) before(ex *scoring.Exchange) {
	if f.held == nil {
		f.held = map[profile.Key]bool{}
	}
	f.keys = f.scorer.Touched(ex, f.keys[:0])
	for _, k := range f.keys {
		if k == (profile.Key{}) || f.held[k] {
			continue
		}
		f.held[k] = true
		if rec, pin, ok := f.store.Find(k); ok {
			f.present = append(f.present, *rec)
			pin.Release()
		} else {
			f.absent = append(f.absent, k)
		}
	}
}

// begun copies what the exchange may write beside records. It is called after
// Begin and Attempt.
func (f *fork) begun(ex *scoring.Exchange) { f.lines = f.scorer.Lines(ex, f.lines) }

// back undoes everything since begin.
func (f *fork) back() {
	for _, l := range slices.Backward(f.lines) {
		l.PutBack()
	}
	for i := range f.present {
		was := &f.present[i]
		rec, pin, _ := f.store.Acquire(was.Key, was.Kind, was.LastSeen)
		*rec = *was
		pin.Release()
	}
	for _, k := range f.absent {
		f.store.Forget(k)
	}
	f.scorer.Rehearse(false)
	clear(f.held)
	f.present, f.absent, f.lines = f.present[:0], f.absent[:0], f.lines[:0]
}
