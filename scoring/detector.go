package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// Detector names one way of being unusual; the names are part of the policy
// input (input.detectors.<name>).
type Detector uint8

// The detectors.
const (
	Rate Detector = iota
	Volume
	NewObjects
	Device
	Network
	Hour
	Companion
	Takeover
	Errors
	Country
	Method
	Version
	Drift
	Slow
	Switches
	Replay
	Recon
	Sequence
	Usage
	Stuffing
	Enumeration
	Bulk
	Detectors int = iota
)

var detectorNames = [Detectors]string{
	"rate", "volume", "new_objects", "device", "network", "hour", "companion", "takeover",
	"errors", "country", "method", "version", "drift", "slow", "switches", "replay", "recon",
	"sequence", "usage",
	"stuffing", "enumeration", "bulk",
}

// String is the detector's name in policies and reports.
func (d Detector) String() string { return detectorNames[d] }

// detector is one way of being unusual, at work. Detectors have no state of
// their own; what they know is in the record that they look at.
type detector interface {
	// judge adds what it finds about the request, already counted in l.rec.
	judge(l *look)
	// learn takes the exchange into l.rec. It is called once, where the
	// upstream accepted the request and nothing was anomalous; weight is 1 for
	// the ordinary and falls towards 0 with the surprise.
	learn(l *look, weight float64)
}

// ofHabits run for every entity with habits, in this order: takeover reads what
// device, network, country and hour have found, and sequence what recon knows.
var ofHabits = [...]detector{
	rate{}, newObjects{}, failures{}, device{}, network{}, country{}, hour{}, method{}, version{},
	companion{}, takeover{}, switches{}, replay{}, recon{}, usage{}, sequence{}, enumeration{}, slow{},
}

// ofCrowds run for addresses, networks and devices.
var ofCrowds = [...]detector{rate{}, failures{}, recon{}}

func detectorsOf(kind profile.Kind) []detector {
	if habitual(kind) {
		return ofHabits[:]
	}
	return ofCrowds[:]
}
