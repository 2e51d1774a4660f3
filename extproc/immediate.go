package extproc

import (
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// An ImmediateResponse stands in the upstream's place. Two of its fields must
// never be left out: without a status it is a 200, and without details the
// access log cannot tell it from an upstream's answer. Details have no spaces:
// Envoy would replace them.

// appendImmediate appends the answer that refuses an exchange while a clean
// answer is still possible: at the request or response headers.
func appendImmediate(b []byte, ex *scoring.Exchange, v policy.Verdict, a *answer) []byte {
	return nest(b, 7, func(b []byte) []byte {
		b = appendStatus(b, a.status)
		b = appendMutation(b, 2, &a.headers)
		b = nest(b, 3, func(b []byte) []byte {
			if a.grpc { // becomes grpc-message
				return hexID(append(b, detail(v.Class)+" decision_id="...), ex.ID)
			}
			return appendProblem(b, a.status, v.Class, ex.ID)
		})
		if a.grpc {
			b = nest(b, 4, func(b []byte) []byte { return appendVarint(b, 1, grpcCode(a.status)) })
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
