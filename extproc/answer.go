package extproc

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// answer is what a client gets in the upstream's place: status and headers; the
// body follows from the status.
type answer struct {
	status  int
	grpc    bool // Envoy makes it a grpc-status, and its body the message
	headers mutation
}

// answerTo says how a verdict is told to whoever sent the exchange.
func (u *stepUp) answerTo(ex *scoring.Exchange, v policy.Verdict) *answer {
	a := &answer{status: statusOf(v), grpc: isGRPC(ex)}
	a.put("content-type", "application/problem+json")
	a.put("cache-control", "no-store")
	switch {
	case v.Action == policy.Throttle:
		a.throttle(v)
	case v.RetryAfter > 0: // of a quarantine
		a.put("retry-after", wholeSeconds(v.RetryAfter))
	}
	if v.Action == policy.Challenge {
		u.challenge(a, ex, v)
	}
	return a
}

func (a *answer) put(name, value string) {
	a.headers.set = append(a.headers.set, setting{name, value})
}

// throttle says when to come back, once more in the words of
// draft-ietf-httpapi-ratelimit-headers-11: nothing is left for that time. The
// policy is told only where a rule states a quota: what is learned is for
// nobody to steer by.
func (a *answer) throttle(v policy.Verdict) {
	after := wholeSeconds(v.RetryAfter)
	a.put("retry-after", after)
	a.put("ratelimit", `"wonted";r=0;t=`+after)
	if v.Quota > 0 {
		a.put("ratelimit-policy", fmt.Sprintf(`"wonted";q=%d;w=%s`, v.Quota, wholeSeconds(v.Window)))
	}
}

// wholeSeconds are rounded up, and at least one: zero would invite the client to
// come back at once.
func wholeSeconds(d time.Duration) string {
	s := (d + time.Second - 1) / time.Second
	return strconv.FormatInt(max(1, int64(s)), 10)
}
