package quarantine

import (
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Lookup is the block of that id that holds at now; nil: there is none.
func (t *Table) Lookup(id string, now time.Time) (found *policy.Block) {
	t.index.Load().each(func(r *record) bool {
		if r.ID == id && r.holds(now) {
			found = &r.Block
		}
		return found == nil
	})
	return found
}

// Of is the block of an entity that holds at now; nil: there is none.
func (t *Table) Of(k profile.Key, now time.Time) *policy.Block {
	if r := t.index.Load().find(k); r.holds(now) {
		return &r.Block
	}
	return nil
}

// Release ends a block before its time. It counts as never imposed: the entity
// starts at the foot of the ladder. nil: it does not hold. An error: it is
// released, but that could not be written down, and the block would be back if
// the process ended before it can be.
func (t *Table) Release(id, author string, now time.Time) (*policy.Block, error) {
	b := t.Lookup(id, now)
	if b == nil {
		return nil, nil
	}
	t.mu.Lock()
	r := t.index.Load().find(b.Key)
	if !r.holds(now) {
		t.mu.Unlock()
		return nil, nil
	}
	t.put(r.released(now))
	err := t.write(line{Op: opRelease, ID: id, Hash: r.Hash, By: author, At: now.Round(0)})
	t.mu.Unlock()
	t.metrics.releases.WithLabelValues(r.Entity).Inc()
	t.log.Info().Str("by", author).Func(describe(&r.Block)).Msg("released from quarantine")
	if r.Prefix.IsValid() {
		t.changed()
	}
	return &r.Block, err
}

func (r *record) released(now time.Time) *record {
	n := &record{Block: r.Block, ended: true}
	n.Until, n.Rung = now, 0
	return n
}

// Sweep takes down what has ended by now, and says when the next block will; the
// zero time: none.
func (t *Table) Sweep(now time.Time) (next time.Time) {
	t.mu.Lock()
	t.end(now)
	stale := t.stale
	t.stale, next = false, t.soonest
	t.mu.Unlock()
	if stale {
		t.changed()
	}
	return next
}

// end is Sweep for who holds mu.
func (t *Table) end(now time.Time) {
	if now.Before(t.soonest) || t.soonest.IsZero() {
		return
	}
	var over []*record
	t.soonest = time.Time{}
	t.index.Load().each(func(r *record) bool {
		switch {
		case r.ended:
		case !r.holds(now):
			over = append(over, r)
		case t.soonest.IsZero() || r.Until.Before(t.soonest):
			t.soonest = r.Until
		}
		return true
	})
	for _, r := range over {
		t.put(&record{Block: r.Block, ended: true})
		t.metrics.expiries.WithLabelValues(r.Entity).Inc()
		t.tell(now, "a quarantine has ended", &r.Block)
		t.stale = t.stale || r.Prefix.IsValid()
	}
}
