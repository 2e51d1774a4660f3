package policy

import (
	"time"
)

// Report tells what was odd about one exchange and what was, or in shadow
// would have been, done. Its JSON field names are a contract.
type Report struct {
	Time      time.Time `json:"time"`
	ID        string    `json:"id"`
	Identity  string    `json:"identity"` // display name, else the keyed hash
	Kind      string    `json:"kind"`
	Route     string    `json:"route"`
	Score     float64   `json:"score"`
	Threshold float64   `json:"threshold"`
	Anomalous bool      `json:"anomalous"`
	Action    string    `json:"action"`
	Mode      string    `json:"mode"`
	Status    int       `json:"status"`  // that the client got; 0: none
	Records   int64     `json:"records"` // -1: not metered
	Bytes     int64     `json:"bytes"`   // -1: unknown
	Reason    string    `json:"reason"`
	Evidence  []Finding `json:"evidence"`
}

// Finding is one piece of evidence, in words and numbers.
type Finding struct {
	Detector string  `json:"detector"`
	Score    float64 `json:"score"`
	Observed float64 `json:"observed"`
	Expected float64 `json:"expected"`
	Unit     string  `json:"unit"`
	Window   string  `json:"window"` // "10m"; "" this exchange alone
	Entity   string  `json:"entity"`
	Summary  string  `json:"summary"`
	Attack   string  `json:"attack"`
	OWASP    string  `json:"owasp"`
}
