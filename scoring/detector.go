package scoring

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
	Detectors int = iota
)

var detectorNames = [Detectors]string{"rate", "volume", "new_objects", "device", "network", "hour", "companion", "takeover"}

// String is the detector's name in policies and reports.
func (d Detector) String() string { return detectorNames[d] }

// scratch is what the scorer keeps with an exchange between Begin and Complete.
type scratch struct {
	evidence [MaxEvidence]Evidence
}
