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
	e := &ex.Entities
	return calibrate.Who{
		Key: calibrationKey(e[stands(ex)].Key), Now: now,
		Places: [3]uint64{
			calibrationPlace(e[profile.KindNetwork].Key), calibrationPlace(e[profile.KindDevice].Key), uint64(ex.Route.ID),
		},
	}
}

// An identity is 64 bits to the calibrator, as one that comes and as a place.
func calibrationKey(k profile.Key) uint64   { return k.Hi ^ k.Lo }
func calibrationPlace(k profile.Key) uint64 { return k.Lo }
