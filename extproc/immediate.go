package extproc

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// An ImmediateResponse stands in the upstream's place. Two of its fields must
// never be left out: without a status it is a 200, and without details the
// access log cannot tell it from an upstream's answer. Details have no spaces:
// Envoy would replace them.

// appendImmediate appends the answer that refuses an exchange while a clean
// answer is still possible: at the request or response headers.
func appendImmediate(b []byte, ex *scoring.Exchange, v policy.Verdict) []byte {
	status := statusOf(v)
	isGRPC := isGRPC(ex)
	var mu mutation
	mu.answer(ex, v)
	return nest(b, 7, func(b []byte) []byte {
		b = appendStatus(b, status)
		b = appendMutation(b, 2, &mu)
		b = nest(b, 3, func(b []byte) []byte {
			if isGRPC { // becomes grpc-message
				return hexID(append(b, detail(v.Class)+" decision_id="...), ex.ID)
			}
			return appendProblem(b, status, v.Class, ex.ID)
		})
		if isGRPC {
			b = nest(b, 4, func(b []byte) []byte { return appendVarint(b, 1, grpcCode(status)) })
		}
		return appendString(b, 5, details(v))
	})
}

// appendCut appends the answer that ends a response whose headers have left.
// Envoy resets the stream and drops status, headers and body; details and the
// dynamic metadata reach the access log.
func appendCut(b []byte, v policy.Verdict) []byte {
	return nest(b, 7, func(b []byte) []byte {
		b = appendStatus(b, statusOf(v))
		return appendString(b, 5, "wonted_cut")
	})
}

func appendStatus(b []byte, status int) []byte {
	return nest(b, 1, func(b []byte) []byte { return appendVarint(b, 1, uint64(status)) })
}

// statusOf is the policy's status if it is one that refuses, else the action's.
func statusOf(v policy.Verdict) int {
	if v.Status >= 400 && v.Status <= 599 && http.StatusText(v.Status) != "" {
		return v.Status
	}
	switch {
	case v.Class == "unavailable":
		return http.StatusServiceUnavailable
	case v.Action == policy.Throttle:
		return http.StatusTooManyRequests
	case v.Action == policy.Challenge:
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

func details(v policy.Verdict) string {
	switch {
	case v.Class == "unavailable":
		return "wonted_unavailable"
	case v.Class == "budget":
		return "wonted_budget"
	case v.Class == "quarantined":
		return "wonted_quarantined"
	}
	return "wonted_" + v.Action.String()
}

// answer sets the headers of the answer itself.
func (mu *mutation) answer(ex *scoring.Exchange, v policy.Verdict) {
	mu.put("content-type", "application/problem+json")
	mu.put("cache-control", "no-store")
	if v.Action == policy.Throttle || v.RetryAfter > 0 {
		mu.put("retry-after", retryAfter(v.RetryAfter))
	}
	switch v.Action {
	case policy.Challenge:
		mu.put("www-authenticate", challenge(v.Realm, isBearer(ex)))
	}
}

func (mu *mutation) put(name, value string) { mu.set = append(mu.set, setting{name, value}) }

// retryAfter is in whole seconds, rounded up, at least one: zero would invite
// the client to come back at once.
func retryAfter(d time.Duration) string {
	s := (d + time.Second - 1) / time.Second
	return strconv.FormatInt(max(1, int64(s)), 10)
}

// challenge is the value of www-authenticate. A client that sent a bearer token
// learns that the token is good but not good enough (RFC 9470); one that sent
// none gets no error code (RFC 6750, 3.1).
func challenge(realm string, bearer bool) string {
	if realm == "" {
		realm = "api"
	}
	c := `Bearer realm="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clean(realm)) + `"`
	if bearer {
		c += `, error="insufficient_user_authentication", error_description="Sign in again to continue"`
	}
	return c
}

func isBearer(ex *scoring.Exchange) bool {
	const scheme = "bearer "
	for i := range ex.Headers {
		h := &ex.Headers[i]
		if string(h.Name) == "authorization" && len(h.Value) > len(scheme) && strings.EqualFold(string(h.Value[:len(scheme)]), scheme) {
			return true
		}
	}
	return false
}

// appendProblem appends problem+json (RFC 9457). It tells the class of the
// reason and the decision's id; everything else is for the analyst.
func appendProblem(b []byte, status int, class string, id scoring.ID) []byte {
	b = append(b, `{"type":"about:blank","title":"`...)
	b = append(b, http.StatusText(status)...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"detail":"`...)
	b = append(b, detail(class)...)
	b = append(b, `","reason":"`...)
	b = append(b, reason(class)...)
	b = append(b, `","decision_id":"`...)
	b = hexID(b, id)
	return append(b, `"}`...)
}

func hexID(b []byte, id scoring.ID) []byte { return hex.AppendEncode(b, id[:]) }

// problems is what a client may read about each reason class.
var problems = map[string]string{
	"denied":      "This request is not allowed.",
	"quarantined": "Requests like this one are blocked for a while. Try again later.",
	"malformed":   "The request is malformed.",
	"step-up":     "Sign in again to continue.",
	"rate":        "Too much in too short a time. Try again later.",
	"budget":      "The response would be larger than allowed.",
	"unavailable": "The request could not be checked. Try again later.",
}

func detail(class string) string { return problems[reason(class)] }

// reason is the class, or the plainest of them for one that is not known here:
// nothing else may slip into the answer.
func reason(class string) string {
	if _, ok := problems[class]; ok {
		return class
	}
	return "denied"
}
