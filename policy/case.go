package policy

import (
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// Case is one exchange before the Gate, with what has been decided about it.
// The stream that carries the exchange owns its Case, and may reuse it after
// Close and Reset.
type Case struct {
	Exchange scoring.Exchange
	Degraded []string // what the carrier knows to be impaired, for input.degraded
}

// Verdict is what the carrier of an exchange must do at this point.
type Verdict struct {
	*Decision           // never nil; budgets are resolved
	Pass      bool      // let it go on: Action is Allow, or the mode is shadow
	Class     string    // reason class that the client may see: "denied", "step-up", "rate", "budget", "unavailable"
	Body      bool      // at the response headers: ask for the body in chunks and call Meter
	At        time.Time // when it was reached
}
