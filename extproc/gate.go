package extproc

import (
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// Gate judges exchanges; *policy.Gate does. A Case is before the Gate from
// Open (or Fail, where the stream could not do its own part) to Close, and is
// never used by two goroutines at once.
type Gate interface {
	Open(c *policy.Case) policy.Verdict
	Attempt(c *policy.Case, now time.Time) policy.Verdict
	Answer(c *policy.Case, now time.Time) policy.Verdict
	Meter(c *policy.Case, now time.Time) policy.Verdict
	Fail(c *policy.Case, reason string) policy.Verdict
	Close(c *policy.Case, end scoring.End, now time.Time)
}

// Resolver says who is calling.
type Resolver interface {
	// Resolve sets the entities of an exchange whose request is known.
	Resolve(ex *scoring.Exchange)
	// Subject sets SignIn.User of one that signs in whoever has this name. It
	// keeps nothing of the name but a keyed hash.
	Subject(ex *scoring.Exchange, name []byte)
}

// Operations finds out what requests ask for whose bodies tell it;
// *scoring.Scorer does.
type Operations interface {
	// OperationInBody says so by the headers of a request.
	OperationInBody(ex *scoring.Exchange) bool
	// ReadOperation sets Operation of such a request by its body, which is whole.
	ReadOperation(ex *scoring.Exchange, body []byte)
}
