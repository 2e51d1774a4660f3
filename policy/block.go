package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Block is a quarantine of one entity: who, until when, why and by whom. It
// never changes once made. Its JSON field names are a contract.
type Block struct {
	ID       string       `json:"id"`     // 16 hex digits; an entity has one block at a time, and always the same id
	Entity   string       `json:"entity"` // caller, credential, session, address, network, device
	Key      profile.Key  `json:"-"`
	Hash     string       `json:"hash"`             // the key, as reports print it
	Name     string       `json:"name"`             // what an analyst reads, "" where there is none
	Prefix   netip.Prefix `json:"prefix,omitzero"`  // of an address or a network
	Since    time.Time    `json:"since"`            // event time
	Until    time.Time    `json:"until"`            // it holds before, and not at this moment
	Rung     int          `json:"rung"`             // of the ladder: the how-manieth in short succession, from 1
	Reason   string       `json:"reason"`           // for log and console, never for the client
	Author   string       `json:"author"`           // ByPolicy, or the operator
	Decision string       `json:"decision_id"`      // "" where an operator made it
	Shadow   bool         `json:"shadow,omitempty"` // recorded and reported, never enforced
}

// ByPolicy is the author of what a policy asked for.
const ByPolicy = "policy"

// Quarantines keeps blocks; *quarantine.Table does. It is asked about every
// exchange, by many goroutines at once.
type Quarantines interface {
	// Find appends to into the blocks of the exchange's entities that hold at
	// now, and allocates nothing where into has room.
	Find(into []*Block, ex *scoring.Exchange, now time.Time) []*Block
	// Impose carries out what a policy asks for, or refuses it, and says so of
	// each. What it says is imposed survives the process once it returns, as far
	// as there is a place for it.
	Impose(ex *scoring.Exchange, asked []Quarantine, o Order) []Isolation
	// Note takes down an exchange to which nothing was objected: who uses the
	// address or network must be known before it is blocked.
	Note(ex *scoring.Exchange, now time.Time)
}

// Order is what the quarantines of one decision have in common.
type Order struct {
	Reason string
	Shadow bool
	Now    time.Time
}

// Isolation is what became of a Quarantine that a policy asked for, in words.
// Its JSON field names are a contract.
type Isolation struct {
	Entity  string `json:"entity"`
	TTL     string `json:"ttl"`               // "10m"
	Outcome string `json:"outcome,omitempty"` // one of the outcomes below; absent where nobody keeps quarantines
	Why     string `json:"why,omitempty"`     // it was refused
	ID      string `json:"id,omitempty"`      // of the block
}

// What becomes of a quarantine that is asked for.
const (
	Imposed = "imposed"
	Watched = "shadow"  // imposed as far as shadow goes: recorded
	Held    = "held"    // it is under quarantine already, for at least as long
	Refused = "refused" // Why says by what
)

// held looks whether the request comes from quarantine. If so the decision is
// ready, without asking scorer and policy: true. In shadow it is ready as well,
// and asking goes on, since the request does.
func (g *Gate) held(c *Case, now time.Time) bool {
	if g.blocks == nil {
		return false
	}
	c.held = g.blocks.Find(c.held[:0], &c.Exchange, now)
	var by *Block
	for _, b := range c.held {
		if (c.mode == Shadow || !b.Shadow) && (by == nil || b.Until.After(by.Until)) {
			by = b
		}
	}
	if by == nil {
		return false
	}
	g.metrics.blocked.WithLabelValues(by.Entity, c.mode.String()).Inc()
	c.adopt(&Decision{Action: Deny, RetryAfter: by.Until.Sub(now), Reason: by.why()}, now)
	c.class = "quarantined"
	return c.mode == Enforce
}

func (b *Block) why() string {
	return fmt.Sprintf("quarantine of %s %s until %s by %s: %s",
		b.Entity, cmp.Or(b.Name, b.Hash), b.Until.UTC().Format(time.RFC3339), b.Author, b.Reason)
}

// isolate has the quarantines carried out that a decision asks for, each entity
// once an exchange.
func (g *Gate) isolate(c *Case, d *Decision, now time.Time) {
	for i := range d.Quarantine {
		q := d.Quarantine[i : i+1]
		if slices.ContainsFunc(c.isolated, func(done Isolation) bool { return done.Entity == q[0].Entity }) {
			continue
		}
		x := Candidate{Deny, Rule{ID: QuarantineRule, Reason: "quarantine of the " + q[0].Entity}}
		if !g.hear(c, &x, now) {
			continue
		}
		if g.blocks == nil {
			c.isolated = append(c.isolated, Isolation{Entity: q[0].Entity, TTL: WindowName(q[0].TTL)})
			continue
		}
		c.isolated = append(c.isolated, g.blocks.Impose(&c.Exchange, q, Order{
			Reason: cmp.Or(d.Reason, firstEvidence(&c.Exchange), "a rule of the policy"), Shadow: c.watching, Now: now,
		})...)
	}
}

func firstEvidence(ex *scoring.Exchange) string {
	if len(ex.Assessment.Evidence) == 0 {
		return ""
	}
	return ex.Assessment.Evidence[0].Summary()
}
