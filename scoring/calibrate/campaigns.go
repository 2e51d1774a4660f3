package calibrate

import "sync"

// campaigns find out who alarms together: several identities, within an hour,
// by the same detector and from one network, with one device or on one route.
// That is one thing that happens, and one alert.
type campaigns struct {
	mu     sync.Mutex
	groups [campaignSets][campaignWays]alike
}

const (
	campaignSets = 256
	campaignWays = 4
	campaignGap  = 3600 // seconds
	firstMembers = 8    // those that are remembered
)

// alike are those that alarmed by one detector in one place.
type alike struct {
	place    uint64 // hash of detector and place; 0: none
	last     uint32 // seconds
	n        uint8
	campaign bool
	members  [firstMembers]uint64
}

// together is how many make a campaign: by network, device, route. On a busy
// route a few meet by chance.
var together = [3]uint8{3, 3, 8}

// meeting is what an alarm has met.
type meeting struct {
	member  bool // of a campaign
	began   bool // by this one
	counted bool // among the alerts, as part of another
	first   [firstMembers]uint64
}

func placeOf(kind, top int, place uint64) uint64 {
	h := place ^ uint64(kind+1)<<56 ^ uint64(top+1)<<48
	return max((h^h>>29)*0xBF58_476D_1CE4_E5B9, 1)
}

// note takes an alarm.
func (c *campaigns) note(w *Who, top int) (met meeting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind, place := range w.Places {
		if place == 0 {
			continue
		}
		g := c.group(placeOf(kind, top, place), w.Now)
		g.last = max(g.last, w.Now)
		g.join(w.Key)
		if !g.campaign && g.n >= together[kind] {
			g.campaign = true
			met.began = met.began || !met.member
			met.first = g.members
		}
		met.member = met.member || g.campaign
	}
	return met
}

// group is the one of a place: that which is there, else in the room of one
// that is over, else of the one that was quiet for longest.
func (c *campaigns) group(place uint64, now uint32) *alike {
	set := &c.groups[place>>56]
	old := &set[0]
	for i := range set {
		g := &set[i]
		if g.place == place {
			if now-min(g.last, now) > campaignGap {
				*g = alike{place: place}
			}
			return g
		}
		if g.last < old.last {
			old = g
		}
	}
	*old = alike{place: place}
	return old
}

func (g *alike) join(key uint64) {
	for _, m := range g.members[:g.n] {
		if m == key {
			return
		}
	}
	if g.n < firstMembers {
		g.members[g.n] = key
		g.n++
	}
}

// meets says whether an alarm of who, by detector top, would be part of a
// campaign that goes on.
func (c *campaigns) meets(w *Who, top int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind, place := range w.Places {
		if place == 0 {
			continue
		}
		at := placeOf(kind, top, place)
		for i := range c.groups[at>>56] {
			if g := &c.groups[at>>56][i]; g.place == at && g.campaign && w.Now-min(g.last, w.Now) <= campaignGap {
				return true
			}
		}
	}
	return false
}
