package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
	"github.com/wonted-project/wonted/scoring/window"
)

// mergeRoutes gives routes that have become one (see package route) the sum of
// what was known of them, so that a fold starts nobody's learning anew: what
// GET /v1/users/alice and all the others answered is what is usual on
// GET /v1/users/{id}.
//
// It counts for no more than ownRuler responses, steps and objects, since one caller alone may have
// taught it: whether a route is known by two shows from then on. The records of
// the old routes are left, and go as all go that nobody asks for.
func (s *Scorer) mergeRoutes(merges []route.Merge, now uint32) {
	became := map[uint16]uint16{}
	for _, m := range merges {
		for _, id := range m.From {
			became[shortRoute(id)] = shortRoute(m.ID)
		}
	}
	for _, m := range merges {
		var sum profile.Record // never in the store: one record's lock at a time
		for _, id := range m.From {
			if rec, pin, ok := s.store.Find(routeKey(id)); ok {
				if rec.Kind == profile.KindRoute {
					addRoute(&sum, rec)
				}
				pin.Release()
			}
		}
		if sum.Accepted == 0 {
			continue
		}
		p := sum.Population()
		renameSteps(p, became, shortRoute(m.ID))
		p.Bytes.Decay(ruler(p.Bytes.N))
		p.Records.Decay(ruler(p.Records.N))
		window.SmallSlots(p.Before[:]).Decay(ruler(p.BeforeN))
		p.BeforeN *= float32(ruler(p.BeforeN))
		p.Adjacent.Decay(ruler(p.Adjacent.N))
		p.Foreign.Decay(ruler(p.Foreign.N))
		rec, pin, _ := s.store.Acquire(routeKey(m.ID), profile.KindRoute, now)
		if rec.Kind == profile.KindRoute {
			addRoute(rec, &sum)
			rec.Name = profile.NameOf(m.Name)
		}
		pin.Release()
	}
}

// ruler is what n are multiplied by to be no more than ownRuler.
func ruler(n float32) float64 { return min(1, ownRuler/max(float64(n), 1)) }

// renameSteps has the steps to a route come from what their routes became. Those
// from itself are none any more: a step from one tenant's orders to another's is
// a repetition.
func renameSteps(p *profile.Population, became map[uint16]uint16, itself uint16) {
	was := p.Before
	clear(p.Before[:])
	for _, from := range was {
		id, ok := became[from.ID]
		if !ok {
			id = from.ID
		}
		if id == itself {
			p.BeforeN = max(p.BeforeN-float32(from.Count()), 0)
			continue
		}
		window.SmallSlots(p.Before[:]).Touch(id, from.Count())
	}
}

// addRoute takes what is known of one route into another.
func addRoute(to, from *profile.Record) {
	if to.Accepted == 0 || from.Created < to.Created {
		to.Created = from.Created
	}
	to.LastSeen = max(to.LastSeen, from.LastSeen)
	to.Requests += from.Requests
	to.Accepted += from.Accepted
	a, b := to.Population(), from.Population()
	a.Bytes.Merge(b.Bytes)
	a.Records.Merge(b.Records)
	higher(&a.LargestBytes, &b.LargestBytes)
	higher(&a.LargestRecords, &b.LargestRecords)
	higher(&a.LargestMetered, &b.LargestMetered)
	for _, from := range b.Before {
		window.SmallSlots(a.Before[:]).Touch(from.ID, from.Count())
	}
	a.BeforeN += b.BeforeN
	for _, n := range []struct{ to, from *window.Novelty }{{&a.Adjacent, &b.Adjacent}, {&a.Foreign, &b.Foreign}} {
		n.to.N += n.from.N
		n.to.New += n.from.New
	}
}

// higher makes the peak that of both: the higher, as of the last day.
func higher(to, from *window.Peak) {
	if from.N == 0 {
		return
	}
	if to.N == 0 || int16(from.Day-to.Day) > 0 {
		to.Day = from.Day
	}
	to.Most = max(to.Most, from.Most)
	to.N = uint16(min(uint32(to.N)+uint32(from.N), 1<<16-1))
}
