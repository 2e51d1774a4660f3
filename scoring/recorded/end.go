package recorded

import (
	"fmt"

	"github.com/wonted-project/wonted/scoring"
)

// The words of the field "end". Without it the status tells: one came, and the
// upstream has answered; none came, and it is not known what happened.
const (
	refused   = "refused"   // wonted answered in the upstream's place; status: the upstream's, had it answered by then
	truncated = "truncated" // wonted cut the response
	unknown   = "unknown"   // it broke off after the response headers
)

// endWord is the word for an end, "" where the status says it.
func endWord(end scoring.End, status int) string {
	switch {
	case end == scoring.Refused:
		return refused
	case end == scoring.Truncated:
		return truncated
	case end == scoring.Unknown && status != 0:
		return unknown
	}
	return ""
}

// checkEnd refuses words that are none.
func checkEnd(word string) error {
	switch word {
	case "", refused, truncated, unknown:
		return nil
	}
	return fmt.Errorf(`"end" is %q; refused, truncated and unknown are possible, or nothing`, word)
}

// End is how the exchange ended.
func (r *Exchange) End() scoring.End {
	switch {
	case r.Ended == refused:
		return scoring.Refused
	case r.Ended == truncated:
		return scoring.Truncated
	case r.Ended == unknown, r.Status < 100:
		return scoring.Unknown
	}
	return scoring.Answered
}

// Answered says whether the upstream's response headers came: only then is
// there something to Answer with.
func (r *Exchange) Answered() bool { return r.Status >= 100 }
