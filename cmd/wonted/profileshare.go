package main

import (
	"cmp"
	"slices"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// share is one device or network that somebody comes from.
type share struct {
	Name  string  `json:"name"`  // of its own profile, as far as that keeps it; empty where that is gone
	Share float64 `json:"share"` // of the visits, the old ones counting less
	slot  uint32
}

// shares are the remembered values, the commonest first.
func shares(slots window.Slots) []share {
	all := []share{}
	total := slots.Total()
	for _, s := range slots {
		if s.Weight > 0 {
			all = append(all, share{Share: float64(s.Weight) / total, slot: s.ID})
		}
	}
	return commonestFirst(all)
}

// routeShares are the same of routes, of which a profile keeps 16 bits.
func routeShares(slots window.SmallSlots) []share {
	all := []share{}
	total := slots.Total()
	for _, s := range slots {
		if s.Count() > 0 {
			all = append(all, share{Share: s.Count() / total, slot: uint32(s.ID)})
		}
	}
	return commonestFirst(all)
}

func commonestFirst(all []share) []share {
	slices.SortFunc(all, func(a, b share) int { return cmp.Compare(b.Share, a.Share) })
	return all
}

// nameShares names the devices, networks and routes of profiles. A profile
// remembers 32 bits of the hash of each, 16 of a route's; who they are, their
// own profiles know.
func nameShares(store *profile.Store, found []profileView) {
	type context struct {
		kind profile.Kind
		slot uint32
	}
	wanted := map[context][]*share{}
	for i := range found {
		h := found[i].Habits
		if h == nil {
			continue
		}
		for j := range h.DeviceShares {
			c := context{profile.KindDevice, h.DeviceShares[j].slot}
			wanted[c] = append(wanted[c], &h.DeviceShares[j])
		}
		for j := range h.NetworkShares {
			c := context{profile.KindNetwork, h.NetworkShares[j].slot}
			wanted[c] = append(wanted[c], &h.NetworkShares[j])
		}
		for j := range h.RouteShares {
			c := context{profile.KindRoute, h.RouteShares[j].slot}
			wanted[c] = append(wanted[c], &h.RouteShares[j])
		}
	}
	if len(wanted) == 0 {
		return
	}
	store.Range(func(r *profile.Record) bool {
		var slot uint32
		switch r.Kind {
		case profile.KindDevice, profile.KindNetwork:
			slot = max(uint32(r.Key.Lo), 1)
		case profile.KindRoute:
			slot = uint32(uint16(r.Key.Lo))
		default:
			return true
		}
		for _, s := range wanted[context{r.Kind, slot}] {
			s.Name = r.Name.String()
		}
		return true
	})
}
