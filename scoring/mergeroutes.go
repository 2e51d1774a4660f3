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
// It counts for no more than ownRuler responses, steps and objects, since one
// caller alone may have taught it: whether a route is known by two shows from then
// on. The records of the old routes are left, and go as all go that nobody asks for.
func (s *Scorer) mergeRoutes(merges []route.Merge, now uint32) {
	became := map[uint16]uint16{}
	for _, m := range merges {
		for _, id := range m.From {
			became[shortRoute(id)] = shortRoute(m.ID)
		}
	}
	for _, m := range merges {
		var whole profile.Record // never in the store: one record's lock at a time
		for _, id := range m.From {
			if rec, pin, ok := s.store.Find(routeKey(id)); ok {
				if rec.Kind == profile.KindRoute {
					addRoute(&whole, rec)
				}
				pin.Release()
			}
		}
		if whole.Accepted == 0 {
			continue
		}
		p := whole.Population()
		renameSteps(p, became)
		p.Bytes.Decay(ruler(p.Bytes.N))
		p.Records.Decay(ruler(p.Records.N))
		window.SmallSlots(p.Before[:]).Decay(ruler(p.BeforeN))
		p.BeforeN *= float32(ruler(p.BeforeN))
		p.Adjacent.Decay(ruler(p.Adjacent.N))
		p.Foreign.Decay(ruler(p.Foreign.N))
		rec, pin, _ := s.store.Acquire(routeKey(m.ID), profile.KindRoute, now)
		if rec.Kind == profile.KindRoute {
			addRoute(rec, &whole)
			rec.Name = profile.NameOf(m.Name)
		}
		pin.Release()
	}
}

// ruler is what n are multiplied by to be no more than ownRuler.
func ruler(n float32) float64 { return min(1, ownRuler/max(float64(n), 1)) }

// renameSteps has the steps to a route come from what their routes became. One from
// one tenant's orders to another's is a repetition from now on.
func renameSteps(p *profile.Population, became map[uint16]uint16) {
	was := p.Before
	clear(p.Before[:])
	for _, from := range was {
		id, ok := became[from.ID]
		if !ok {
			id = from.ID
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
	to.Requests = sum(to.Requests, from.Requests)
	to.Accepted = sum(to.Accepted, from.Accepted)
	mergePopulation(to.Population(), from.Population())
}
