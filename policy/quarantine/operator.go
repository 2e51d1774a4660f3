package quarantine

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Request is what an operator asks for. Entity and Key, Name and Prefix are of
// Place where it is an address or a network.
type Request struct {
	Entity string
	Key    profile.Key
	Name   string
	Prefix netip.Prefix
	TTL    time.Duration // 0: as the ladder has it
	Reason string
	Author string
	Force  bool // whatever it costs; the never-list wins all the same
}

// Preview is what a block would hit. Its JSON field names are a contract.
type Preview struct {
	Entity   string        `json:"entity"`
	Name     string        `json:"name"`
	Hash     string        `json:"hash"`
	Until    time.Time     `json:"until"`
	Callers  int           `json:"callers"`            // in good standing, within a week; of what many can use
	OrMore   bool          `json:"or_more,omitempty"`  // no more are counted
	Limit    int           `json:"limit"`              // of Callers, above which only force helps
	Replaces *policy.Block `json:"replaces,omitempty"` // that holds now
}

// Refusal says why an operator does not get what they ask for, and what to do.
type Refusal struct{ Why, Hint string }

// Error implements error.
func (r *Refusal) Error() string { return r.Why }

// The widest networks that can be blocked: what is wider is half the world, by
// mistake.
const widestV4, widestV6 = 8, 20

// Place is the request for a block of an address or a network, as written by
// hand. An IPv6 address stands for its /64; a network given as an address for the
// /24 or /48 around it, which is what policies call its network.
func (t *Table) Place(entity, text string) (r Request, err error) {
	p, err := parsePlace(text)
	if err != nil {
		hint := "to block a caller: wonted quarantine add caller"
		return r, &Refusal{err.Error(), hint}
	}
	single := p.IsSingleIP()
	r = Request{Entity: entity, Prefix: p}
	switch {
	case entity == "address" && p != host(p.Addr()) && !single:
		return r, &Refusal{fmt.Sprintf("%s is a network and no address", p), fmt.Sprintf("wonted quarantine add network %s", p)}
	case entity == "address":
		r.Prefix = host(p.Addr())
	case single:
		r.Prefix = network(p.Addr())
	case p.Addr().Is4() && p.Bits() < widestV4, p.Addr().Is6() && p.Bits() < widestV6:
		return r, &Refusal{fmt.Sprintf("%s is too much of the world to block", p), fmt.Sprintf("at most a /%d of IPv4 or a /%d of IPv6", widestV4, widestV6)}
	}
	kind, _ := profile.ParseKind(entity)
	r.Name = r.Prefix.String()
	if entity == "address" {
		r.Name = name(r.Prefix)
	}
	r.Key = t.key(kind, []byte(r.Name))
	return r, nil
}

// ParseTTL reads how long an operator wants a block to last; "": as the ladder
// has it.
func ParseTTL(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, &Refusal{fmt.Sprintf("%q is no duration", text), "write it like 15m or 24h; without a ttl the ladder says how long"}
	}
	if d < time.Second || d > MaxTTL {
		return 0, &Refusal{fmt.Sprintf("nobody is blocked for %s", text), "from 1s to 720h, which is 30 days; it can be asked for again"}
	}
	return d, nil
}

// Preview says what the block would hit; an error of type *Refusal: why it would
// not be imposed.
func (t *Table) Preview(r Request, now time.Time) (Preview, error) {
	b := policy.Block{Entity: r.Entity, Name: r.Name, Hash: policy.Hash(r.Key), Prefix: r.Prefix}
	p := Preview{Entity: r.Entity, Name: r.Name, Hash: b.Hash, Limit: t.config.MaxCallers, Replaces: t.Of(r.Key, now)}
	length := r.TTL
	if length == 0 {
		rung := t.index.Load().find(r.Key).rung(now)
		if p.Replaces == nil {
			rung++
		}
		length = t.rung(rung)
	}
	p.Until = now.Round(0).Add(length)
	switch {
	case r.Prefix.IsValid():
		p.Callers = t.standing.within(r.Prefix, now)
	case r.Entity == "device":
		p.Callers = t.standing.callers(r.Key, now)
	}
	p.OrMore = p.Callers >= counted
	if why := t.never.entity(&b); why != "" {
		return p, &Refusal{"it is never blocked: " + why, "nothing overrides this list, not --force either"}
	}
	if p.Callers > p.Limit && !r.Force {
		return p, &Refusal{
			fmt.Sprintf("%s callers in good standing have used it within a week, and quarantine.max_callers is %d", count(p.Callers), p.Limit),
			"block the callers instead, or say --force"}
	}
	return p, nil
}

// Add imposes a block that an operator asks for, in place of any that holds. An
// error is of type *Refusal.
func (t *Table) Add(r Request, now time.Time) (*policy.Block, Preview, error) {
	p, err := t.Preview(r, now)
	if err != nil {
		return nil, p, err
	}
	author := r.Author
	if author == "" || author == policy.ByPolicy {
		author = operator
	}
	b, _ := t.impose(policy.Block{Entity: r.Entity, Key: r.Key, Name: r.Name, Prefix: r.Prefix, Reason: r.Reason, Author: author}, r.TTL, now)
	if b == nil {
		return nil, p, &Refusal{fmt.Sprintf("there are %d quarantines, and quarantine.max_entries allows no more", t.live.Load()), "release some, or wait until some have ended"}
	}
	return b, p, nil
}
