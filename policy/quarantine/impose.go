package quarantine

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Impose implements policy.Quarantines.
func (t *Table) Impose(ex *scoring.Exchange, asked []policy.Quarantine, o policy.Order) []policy.Isolation {
	all := make([]policy.Isolation, 0, len(asked))
	for _, q := range asked {
		all = append(all, t.imposeOne(ex, q, o))
	}
	return all
}

func (t *Table) imposeOne(ex *scoring.Exchange, q policy.Quarantine, o policy.Order) policy.Isolation {
	done := policy.Isolation{Entity: q.Entity, TTL: policy.WindowName(q.TTL), Outcome: policy.Refused}
	kind, _ := profile.ParseKind(q.Entity)
	id := &ex.Entities[kind]
	if done.Why = t.objection(ex, id, q.Entity, o.Now); done.Why != "" {
		if id.Kind != profile.KindNone {
			t.refused(id, done.Why, o)
		}
		return done
	}
	b := policy.Block{
		Entity: q.Entity, Key: id.Key, Name: string(id.Name), Prefix: placeOf(ex, kind),
		Reason: o.Reason, Author: policy.ByPolicy, Decision: ex.ID.String(), Shadow: o.Shadow,
	}
	made, outcome := t.impose(b, q.TTL, o.Now)
	if done.Outcome = outcome; made == nil {
		done.Why = "there are as many quarantines as quarantine.max_entries allows"
		t.refused(id, done.Why, o)
		return done
	}
	done.ID, done.TTL = made.ID, policy.WindowName(made.Until.Sub(o.Now).Round(time.Second))
	return done
}

// objection says why a policy may not block an entity of the exchange.
func (t *Table) objection(ex *scoring.Exchange, id *scoring.Identity, entity string, now time.Time) string {
	kind := id.Kind
	place := kind == profile.KindAddress || kind == profile.KindNetwork || kind != profile.KindNone && unnamed(id)
	switch {
	case kind == profile.KindNone:
		return "the exchange has no " + entity
	case place && !t.trusting && written(ex):
		return "the address comes from a header that clients can write"
	}
	if why := t.never.exchange(ex); why != "" {
		return why
	}
	if place {
		if why := t.never.place(placeOf(ex, max(kind, profile.KindAddress))); why != "" {
			return why
		}
	}
	if place || kind == profile.KindDevice {
		if n := t.standing.callers(id.Key, now); n > t.config.MaxCallers {
			return fmt.Sprintf("%s callers in good standing have used it within a week, and quarantine.max_callers is %d", count(n), t.config.MaxCallers)
		}
	}
	return ""
}

// placeOf is the prefix of an entity that is a place.
func placeOf(ex *scoring.Exchange, kind profile.Kind) netip.Prefix {
	switch kind {
	case profile.KindAddress:
		return host(ex.Address)
	case profile.KindNetwork:
		return network(ex.Address)
	}
	return netip.Prefix{}
}

// impose makes a block of what is given of it and says what became of that: the
// one that holds, or nil where there is no room for it.
func (t *Table) impose(b policy.Block, ttl time.Duration, now time.Time) (made *policy.Block, outcome string) {
	now = now.Round(0) // without the monotonic clock: it is kept in a file
	b.Hash, b.Reason = policy.Hash(b.Key), b.Reason[:min(len(b.Reason), maxReason)]
	b.ID = b.Hash[:16]
	t.mu.Lock()
	old := t.index.Load().find(b.Key)
	b.Rung, b.Since = 1, now
	length := ttl
	switch {
	case b.Author != policy.ByPolicy:
		if old != nil && old.Shadow == b.Shadow {
			b.Rung = old.rung(now)
			if !old.holds(now) {
				b.Rung++
			}
		}
		if ttl == 0 {
			length = t.rung(b.Rung)
		}
	case old.holds(now) && old.Shadow == b.Shadow:
		b.Rung, b.Since = old.Rung, old.Since
		if length = ttl; old.Author != policy.ByPolicy || ttl <= old.Until.Sub(old.Since) {
			t.mu.Unlock()
			return &old.Block, policy.Held
		}
	case old.holds(now) && !old.Shadow: // shadow does not take the place of what is real
		t.mu.Unlock()
		return &old.Block, policy.Held
	default:
		if old != nil && old.Shadow == b.Shadow {
			b.Rung = old.rung(now) + 1
		}
		if ttl == 0 || b.Rung > 1 {
			length = max(ttl, t.rung(b.Rung))
		}
	}
	b.Until = now.Add(length)
	if !t.room(&b, now) {
		t.mu.Unlock()
		return nil, policy.Refused
	}
	r := &record{Block: b}
	t.put(r)
	t.ends(&r.Block)
	t.write(line{Op: opImpose, Block: &r.Block})
	t.mu.Unlock()
	t.metrics.impositions.WithLabelValues(b.Entity, by(b.Author), mode(b.Shadow)).Inc()
	t.tell(now, "imposed a quarantine", &r.Block)
	if b.Prefix.IsValid() {
		t.changed()
	}
	if b.Shadow {
		return &r.Block, policy.Watched
	}
	return &r.Block, policy.Imposed
}

// maxReason bounds what is kept of a reason, in bytes.
const maxReason = 500

// calm is after how long in peace an entity comes down a rung.
const calm = 24 * time.Hour

// rung is on which an entity stands; 0: as if nothing had been.
func (r *record) rung(now time.Time) int {
	if r == nil {
		return 0
	}
	return r.Rung - max(0, min(r.Rung, int(now.Sub(r.Until)/calm)))
}

// rung is how long a block lasts there, from 1.
func (t *Table) rung(n int) time.Duration {
	return time.Duration(t.config.Ladder[min(max(n, 1), len(t.config.Ladder))-1])
}

// reserve of the blocks that may hold is kept for operators.
func reserve(most int) int { return most / 16 }

// room says whether the block may be taken in. The caller holds mu.
func (t *Table) room(b *policy.Block, now time.Time) bool {
	most := t.config.MaxEntries
	if b.Author == policy.ByPolicy {
		most -= reserve(most)
	}
	if t.index.Load().find(b.Key).holds(now) {
		return true
	}
	if int(t.live.Load()) >= most {
		t.end(now)
	}
	return int(t.live.Load()) < most
}

// ends notes when a block does. The caller holds mu.
func (t *Table) ends(b *policy.Block) {
	if t.soonest.IsZero() || b.Until.Before(t.soonest) {
		t.soonest = b.Until
	}
}

// put takes a record in, in place of what was known of the key. The caller holds
// mu.
func (t *Table) put(r *record) {
	x := t.index.Load()
	old := x.find(r.Key)
	if !x.put(r) {
		// What has ended is remembered as long as there is room for it.
		now, crowded := r.Since, x.used > 4*t.config.MaxEntries
		x = x.only(func(o *record) bool { return !o.ended || !crowded && o.rung(now) > 0 })
		x.put(r)
		t.index.Store(x)
	}
	switch was, is := old != nil && !old.ended, !r.ended; {
	case is && !was:
		t.live.Add(1)
	case was && !is:
		t.live.Add(-1)
	}
	if r.Prefix.IsValid() && !common(r.Prefix) {
		t.widen(r)
	}
}

// widen keeps the networks of other lengths. The caller holds mu.
func (t *Table) widen(r *record) {
	next := &wide{of: map[netip.Prefix]*record{}}
	if w := t.wide.Load(); w != nil {
		for p, old := range w.of {
			next.of[p] = old
		}
	}
	if next.of[r.Prefix] = r; r.ended {
		delete(next.of, r.Prefix)
	}
	for p := range next.of {
		if !slices.Contains(next.lengths, p.Bits()) {
			next.lengths = append(next.lengths, p.Bits())
		}
	}
	if slices.Sort(next.lengths); len(next.of) == 0 {
		next = nil
	}
	t.wide.Store(next)
}
