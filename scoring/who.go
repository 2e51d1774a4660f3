package scoring

import (
	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
)

// stands is the kind of the entity that stands for an exchange among its peers:
// the caller, or the nearest to one that is known; none for nobody.
func stands(ex *Exchange) profile.Kind {
	for k := profile.KindCaller; k <= profile.KindAddress; k++ {
		if ex.Entities[k].Kind != profile.KindNone {
			return k
		}
	}
	return profile.KindNone
}

// whoIs tells the calibrator who it is, all but its peers, which its record
// knows.
func whoIs(ex *Exchange, now uint32) calibrate.Who {
	key := ex.Entities[stands(ex)].Key
	return calibrate.Who{
		Key: key.Hi ^ key.Lo, Now: now,
		Places: [3]uint64{
			ex.Entities[profile.KindNetwork].Key.Lo, ex.Entities[profile.KindDevice].Key.Lo, uint64(ex.Route.ID),
		},
	}
}
