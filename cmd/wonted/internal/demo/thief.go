package demo

import (
	"fmt"
	"net/http"
	"strings"
)

// How far the thief goes, in every telling alike.
const (
	strangeTry  = 5      // orders it tries as a stranger before it gives that up
	walkLength  = 60     // orders it tries, one id after the other
	pulls       = 3      // lists it asks for after that
	pullRecords = 10_000 // in each
)

// disguise is where a request seems to come from.
type disguise struct {
	From  string `json:"address"`
	Agent string `json:"user_agent"`
}

// The thief first comes as it is; then it hides behind the owner's own
// network and writes the owner's user agent.
var asItself = disguise{From: "203.0.113.66", Agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"}

func asOwner(owner customer) disguise {
	r := owner.by("", 1)
	return disguise{From: r.From, Agent: r.Agent}
}

// tally counts what clients saw.
type tally struct {
	Requests   int `json:"requests"`
	Answered   int `json:"answered"`   // 200, to the end
	Challenged int `json:"challenged"` // 401
	Throttled  int `json:"throttled"`  // 429
	Denied     int `json:"denied"`     // 403
	Cut        int `json:"cut"`        // 200, broken off
	Failed     int `json:"failed"`     // anything else
	Records    int `json:"records"`    // that arrived whole
}

func (t *tally) add(o outcome) {
	t.Requests++
	t.Records += o.Records
	switch {
	case o.fine():
		t.Answered++
	case o.Err != nil:
		t.Failed++
	case o.Status == http.StatusOK:
		t.Cut++
	case o.Status == http.StatusUnauthorized:
		t.Challenged++
	case o.Status == http.StatusTooManyRequests:
		t.Throttled++
	case o.Status == http.StatusForbidden:
		t.Denied++
	default:
		t.Failed++
	}
}

// sender sends one request and says what came of it: a live client, or the
// event-time path.
type sender func(request) outcome

// deed is a part of the crime: what came of its requests, and the first one
// that was not answered in full.
type deed struct {
	tally
	Before int      `json:"answered_before"` // requests answered before it was first stopped
	Most   int      `json:"most_records"`    // in one response
	First  *outcome `json:"first_stopped"`   // how; nil: never
}

func (d *deed) add(o outcome) {
	if !o.fine() && d.First == nil {
		d.Before, d.First = d.Answered, &o
	}
	d.Most = max(d.Most, o.Records)
	d.tally.add(o)
}

// String is what the client saw, in a line.
func (d deed) String() string {
	var parts []string
	part := func(n int, format string, args ...any) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, append([]any{n}, args...)...))
		}
	}
	part(d.Answered, "%d × 200")
	part(d.Challenged, "%d × 401")
	part(d.Denied, "%d × 403")
	part(d.Throttled, "%d × 429")
	part(d.Cut, "%d × cut off in the response")
	part(d.Failed, "%d × failed")
	line := strings.Join(parts, ", ")
	if d.First != nil {
		if d.Before > 0 {
			line += fmt.Sprintf(", the first after %d", d.Before)
		}
		switch {
		case d.First.RetryAfter != "":
			line += " (retry-after: " + d.First.RetryAfter + ")"
		case d.First.Challenge != "":
			line += " (www-authenticate: " + d.First.Challenge + ")"
		case d.First.Err != nil:
			line += fmt.Sprintf(" (%v)", d.First.Err)
		}
	}
	return fmt.Sprintf("%s: %s records", line, number(d.Records))
}

// What the thief does, in words.
var (
	didTry  = fmt.Sprintf("GET /v1/orders/{id}, %d ids in a row", strangeTry)
	didWalk = fmt.Sprintf("GET /v1/orders/{id}, %d ids in a row", walkLength)
	didPull = fmt.Sprintf("GET /v1/orders?limit=%d, %d times", pullRecords, pulls)
)

// walk tries n orders one after the other, starting from one of the owner's.
func walk(send sender, owner customer, as disguise, n int) deed {
	var d deed
	from := firstOrder + 12*len(cast) + owner.index
	for i := range n {
		d.add(send(request{fmt.Sprintf("/v1/orders/%d", from+i), owner.Key, as.From, as.Agent}))
	}
	return d
}

// pull asks for everything.
func pull(send sender, owner customer, as disguise) deed {
	var d deed
	for page := range pulls {
		d.add(send(request{fmt.Sprintf("/v1/orders?limit=%d&page=%d", pullRecords, page), owner.Key, as.From, as.Agent}))
	}
	return d
}
