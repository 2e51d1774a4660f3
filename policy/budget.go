package policy

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// bound is one resolved limit on a response.
type bound struct {
	limit int64 // 0: none
	usual bool  // it stands for what is usual, not for a number in the policy
}

// bind resolves a budget for this exchange: times the usual, or the number,
// whichever is smaller. While nothing is known to be usual (nobody of it is
// mature) "usual" bounds nothing: a policy that wants new callers bounded says
// so in records.
func (c *Case) bind(b Budget) {
	usual := &c.Exchange.Assessment.Usual
	c.records = resolve(b.Records, b.Usual, usual.Records)
	c.bytes = resolve(b.Bytes, b.Usual, usual.Bytes)
	c.decision.Budget = Budget{Records: c.records.limit, Bytes: c.bytes.limit, Usual: b.Usual}
}

func resolve(number int64, times float64, usual int64) bound {
	if times <= 0 || usual <= 0 {
		return bound{limit: number}
	}
	limit := min(times*float64(usual), 1<<62) // beyond: an int64 would wrap into no bound
	if n := max(1, int64(limit)); number == 0 || n < number {
		return bound{limit: n, usual: true}
	}
	return bound{limit: number}
}

// spend compares the response as far as it is known with the bounds, and
// denies it the first time that one is passed.
func (g *Gate) spend(c *Case, phase Phase, now time.Time) {
	ex := &c.Exchange
	switch {
	case c.exceeded:
	case c.records.passed(ex, ex.Records):
		g.overspent(c, ex.Records, "records", c.records, phase, now)
	case c.bytes.passed(ex, ex.ResponseBytes):
		g.overspent(c, ex.ResponseBytes, "bytes", c.bytes, phase, now)
	}
}

// passed: n is over the limit. What is usual is learned from answers that carry
// what was asked for, so it says nothing about an error's page: refusing that
// would only hide the error.
func (b bound) passed(ex *scoring.Exchange, n int64) bool {
	return b.limit > 0 && n > b.limit && !(b.usual && ex.Status >= 400)
}

func (g *Gate) overspent(c *Case, n int64, unit string, b bound, phase Phase, now time.Time) {
	c.exceeded = true
	if c.decision.Action >= Deny {
		return
	}
	why := "allowed"
	if b.usual {
		why = "usual for this caller"
	}
	x := Candidate{Deny, Rule{ID: BudgetRule, Reason: fmt.Sprintf("response budget: %s %s, at most %s %s", grouped(n), unit, grouped(b.limit), why)}}
	if !g.hear(c, &x, now) {
		return
	}
	if c.Told {
		c.mode = Shadow
	}
	c.decision.Action = Deny
	// How an earlier verdict would have been told is not how this one is.
	c.decision.Status, c.decision.RetryAfter, c.decision.Realm, c.decision.Manner = 0, 0, "", Manner{}
	c.decision.Reason = x.Reason
	c.class, c.phase = "budget", phase
	c.at = now
}

// wantsResponse says at the request headers whether the response must be seen
// before it leaves. Where that is false it is enough to be told of it when all
// is over: nothing that it could bring would change what is done.
func (c *Case) wantsResponse() bool {
	a := &c.Exchange.Assessment
	explicit := c.asked.Records > 0 || c.asked.Bytes > 0
	return !a.Plain || !a.Mature || a.Anomalous || a.Score >= a.Threshold/2 ||
		c.inspect || explicit || len(c.decision.Response) > 0 ||
		c.decider.Reads(PhaseResponse) || c.decider.Reads(PhaseBody)
}

// wantsBody says at the response headers whether the body must be seen as it
// streams: where its size alone cannot tell that it is ordinary.
func (c *Case) wantsBody() bool {
	ex := &c.Exchange
	if !hasBody(ex) {
		return false
	}
	size := ex.ResponseBytes
	switch {
	case size < 0, c.inspect, !ex.Assessment.Mature, c.decider.Reads(PhaseBody):
		return true
	case size > ex.Assessment.Range && ex.Status < 400:
		// Larger than is common, or no range is known. It may still be ordinary
		// in bytes and not in records: a list of bare ids where whole orders are
		// usual.
		return true
	}
	// One record more than the limit takes at least two bytes each ("1," or
	// "1\n", the last without its separator).
	explicit := c.records.limit > 0 && !c.records.usual
	return explicit && size > 2*c.records.limit
}

// hasBody is false where HTTP lets no body follow (RFC 9110, 6.4.1), whatever
// content-length says.
func hasBody(ex *scoring.Exchange) bool {
	switch s := ex.Status; {
	case s >= 100 && s < 200, s == 204, s == 304:
		return false
	}
	switch string(ex.Method) {
	case "HEAD", "CONNECT":
		return false
	}
	return ex.ResponseBytes != 0
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
