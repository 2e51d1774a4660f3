package policy

import "time"

// Action is a verdict. The zero Action is no decision: Gate turns it into what
// the fail mode says, so that a decision nobody made never passes by accident.
type Action uint8

// Actions, in order of severity.
const (
	Undecided Action = iota
	Allow
	Throttle
	Challenge
	Deny
	actions int = iota
)

var actionNames = [actions]string{"undecided", "allow", "throttle", "challenge", "deny"}

// String is the action's name in policies, metrics and reports.
func (a Action) String() string { return name(actionNames[:], uint8(a), "action") }

// Decision is what a policy wants done with an exchange. A Decision is
// immutable once returned and carries no id: it may be shared by many exchanges.
type Decision struct {
	Action     Action
	Status     int           // of the answer; 0: the action's default (403, 401, 429)
	RetryAfter time.Duration // throttle, and a quarantine's end; whole seconds
	Realm      string        // challenge
	Manner                   // what else the client is told
	Reason     string        // the rule's text, for log and console, never for the client
	Severity   string        // "", "low", "medium", "high", "critical"
	Inspect    bool          // ask for the bodies
	Budget     Budget
	Quarantine []Quarantine
	Request    []HeaderRule // mutations of the request headers
	Response   []HeaderRule // mutations of the response headers
	Metadata   []HeaderRule // for Envoy's dynamic metadata; never removals
	Conflicts  int          // header and metadata rules that wanted different values for one name
	Candidates []Candidate  // what each rule wants done, the severest first; none where a policy's exception lifts them
	Failed     string       // why the fail mode decided in the policy's place; "" otherwise
}

// HTTPStatus is the status of the answer that carries the decision out.
func (d *Decision) HTTPStatus() int {
	if d.Status != 0 {
		return d.Status
	}
	return [actions]int{Undecided: 403, Allow: 200, Throttle: 429, Challenge: 401, Deny: 403}[d.Action]
}

// DefaultRetryAfter is what a throttled client is told where no rule says; the
// Gate fills it in.
const DefaultRetryAfter = 10 * time.Second

// Budget bounds one response. Zero fields are no bound.
type Budget struct {
	Records, Bytes int64
	Usual          float64 // times the largest response that is still ordinary for this caller on this route
}

// HeaderRule sets a header, or removes it.
type HeaderRule struct {
	Name, Value string
	Remove      bool
}

// Quarantine asks for a timed block of one entity of the exchange.
type Quarantine struct {
	Entity string        // one of Quarantinable
	TTL    time.Duration // of the first; 0: as the ladder has it, which repetition climbs in any case
}

// Quarantinable are the kinds of entities that can be under quarantine.
var Quarantinable = []string{"caller", "credential", "session", "address", "network", "device"}
