package policy

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
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

	Phase  string `json:"phase,omitempty"`  // in which the verdict was reached: request, response, body
	Key    string `json:"key,omitempty"`    // the identity's keyed hash
	Object string `json:"object,omitempty"` // short hash of what the path names, within its route

	// Passing is what would have passed instead; nil where it was not searched for,
	// as where too many verdicts come at once.
	Passing *Passing `json:"passing,omitempty"`

	// Fired are the rules that led to the verdict; whoever keeps reports fills it in
	// by Trace, which takes a millisecond. Nil, as Trace, where that is not known.
	Fired []Source        `json:"fired,omitempty"`
	Trace func() []Source `json:"-"`

	// Standing is the caller's when the request came; nil where there is no caller.
	Standing *Standing `json:"standing,omitempty"`

	Rules  []string   `json:"rules,omitempty"`  // by which it was decided
	Shadow []Shadowed `json:"shadow,omitempty"` // what other rules wanted that were not in force

	Quarantine []Isolation `json:"quarantine,omitempty"` // what became of those that the policy asked for
}

// Standing is whom a caller was compared with, and how well it was known.
type Standing struct {
	Cohort     string  `json:"cohort"`     // its peers
	Level      string  `json:"level"`      // of maturity, with which they are its peers: cold, warming, mature
	Requests   uint32  `json:"requests"`   // accepted so far
	AgeS       int64   `json:"age_s"`      // since it was seen first
	Confidence float64 `json:"confidence"` // 0 to 1: how much of what is expected of it is its own history
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

// report copies what must outlive the exchange.
func (c *Case) report(end scoring.End) *Report {
	ex, d := &c.Exchange, &c.decision
	who := Principal(ex)
	r := &Report{
		Time:      ex.Time,
		ID:        ex.ID.String(),
		Identity:  DisplayName(who),
		Kind:      who.Kind.String(),
		Route:     ex.Route.Name,
		Phase:     c.phase.String(),
		Passing:   c.passing,
		Trace:     c.trace,
		Score:     ex.Assessment.Score,
		Threshold: ex.Assessment.Threshold,
		Anomalous: ex.Assessment.Anomalous,
		Action:    d.Action.String(),
		Mode:      c.mode.String(),
		Status:    c.Status(end),
		Records:   ex.Records,
		Bytes:     ex.ResponseBytes,
		Reason:    d.Reason,
		Rules:     c.DecidedBy(),
		Shadow:    c.shadowed(),
		Evidence:  make([]Finding, 0, len(ex.Assessment.Evidence)),
	}
	if who.Key != (profile.Key{}) {
		r.Key = Hash(who.Key)
	}
	if ex.Route.Object != 0 {
		r.Object = shortHash(ex.Route.Object)
	}
	if a := &ex.Assessment; a.Cohort != "" {
		r.Standing = &Standing{a.Cohort, a.Peers.Level.String(), a.Requests, int64(a.Age.Seconds()), a.Confidence}
	}
	if r.Reason == "" && d.Failed != "" {
		r.Reason = noDecision + d.Failed
	}
	for i := range ex.Assessment.Evidence {
		r.Evidence = append(r.Evidence, Explain(&ex.Assessment.Evidence[i]))
	}
	r.Quarantine = c.isolated // the next exchange gets room of its own
	return r
}

// Explain puts evidence into words and numbers, for reports and policies alike.
func Explain(e *scoring.Evidence) Finding {
	return Finding{
		Detector: e.Detector.String(),
		Score:    e.Score,
		Observed: e.Observed,
		Expected: e.Expected,
		Unit:     e.Unit,
		Window:   WindowName(e.Window),
		Entity:   e.Entity.String(),
		Summary:  e.Summary(),
		Attack:   e.Attack(),
		OWASP:    e.OWASP(),
	}
}

// principals are the kinds by which an exchange is named, the best first.
var principals = [...]profile.Kind{
	profile.KindCaller, profile.KindCredential, profile.KindSession,
	profile.KindUser, profile.KindAddress, profile.KindDevice, profile.KindNetwork,
}

// Principal is the entity that stands for an exchange in policies and reports:
// the caller, or the nearest to one that is known. Kind 0 if there is none.
func Principal(ex *scoring.Exchange) *scoring.Identity {
	for _, k := range principals {
		if e := &ex.Entities[k]; e.Kind != profile.KindNone {
			return e
		}
	}
	return &ex.Entities[profile.KindNone]
}

// DisplayName is what an analyst reads: the name where one is configured, else
// the keyed hash, by which the profile is found as well.
func DisplayName(id *scoring.Identity) string {
	switch {
	case len(id.Name) > 0:
		return string(id.Name)
	case id.Key == (profile.Key{}):
		return ""
	}
	return Hash(id.Key)
}

// Hash writes a key the way reports and policies show it.
func Hash(k profile.Key) string { return fmt.Sprintf("%016x%016x", k.Hi, k.Lo) }

// ParseHash reads what Hash wrote.
func ParseHash(s string) (k profile.Key, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return k, fmt.Errorf("%q is no keyed hash: 32 hex digits, as reports and profile show print them", s)
	}
	return profile.Key{Hi: binary.BigEndian.Uint64(b[:8]), Lo: binary.BigEndian.Uint64(b[8:])}, nil
}

// shortHash tells objects of a route apart, and no more.
func shortHash(h uint64) string { return fmt.Sprintf("%08x", uint32(h)) }

// WindowName writes a window the way a person does: 10m, 1h, 10s.
func WindowName(d time.Duration) string {
	if d == 0 {
		return ""
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
