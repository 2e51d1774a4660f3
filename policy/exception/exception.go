package exception

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Exception lifts what rules want of the exchanges that it matches. Its JSON
// names are a contract.
type Exception struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"`  // who answers for it
	Reason  string    `json:"reason"` // why
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"` // from then on it is no more
	Match
}

// Match says of which exchanges an exception is: those to which all that it
// names applies.
type Match struct {
	Caller     string `json:"caller,omitempty"`      // keyed hash, 32 hex digits
	CallerName string `json:"caller_name,omitempty"` // for readers: nothing is matched by it
	Credential string `json:"credential,omitempty"`  // keyed hash
	Address    string `json:"address,omitempty"`
	Network    string `json:"network,omitempty"` // CIDR
	Route      string `json:"route,omitempty"`   // as in input.request.route
	Rule       string `json:"rule,omitempty"`    // by its id; without one, all rules
}

// Longest is how far away an end may be: what shall last longer belongs into the
// policy.
const Longest = 366 * 24 * time.Hour

// maxText bounds what people write, in bytes.
const maxText = 300

// matcher is a Match as it is asked.
type matcher struct {
	caller, credential profile.Key
	address            netip.Addr
	network            netip.Prefix
	route, rule        string
}

// check says what is wrong with an exception that is to begin at now.
func (x *Exception) check(now time.Time) error {
	for _, f := range []struct{ name, text string }{{"owner", x.Owner}, {"reason", x.Reason}} {
		switch {
		case strings.TrimSpace(f.text) == "":
			return fmt.Errorf("%s: it is missing; every exception says who answers for it and why", f.name)
		case len(f.text) > maxText || !utf8.ValidString(f.text):
			return fmt.Errorf("%s: it has %d bytes; up to %d of text", f.name, len(f.text), maxText)
		}
	}
	switch left := x.Expires.Sub(now); {
	case left <= 0:
		return fmt.Errorf("expires: %s has passed; choose a later end", x.Expires.Format(time.RFC3339))
	case left > Longest:
		return fmt.Errorf("expires: %s is more than a year away; what shall last longer belongs into the policy, as a rule allow", x.Expires.Format(time.RFC3339))
	}
	return nil
}

// compile reads a Match.
func (m *Match) compile() (c matcher, err error) {
	if (*m == Match{CallerName: m.CallerName}) {
		return c, fmt.Errorf("match: it names nothing, and would be for everybody; name a caller, credential, address, network, route or rule")
	}
	if len(m.Route) > maxText || len(m.Rule) > maxText || len(m.CallerName) > maxText {
		return c, fmt.Errorf("match: a name has more than %d bytes; is it a route or a rule?", maxText)
	}
	c.route, c.rule = m.Route, m.Rule
	if m.Caller != "" {
		if c.caller, err = policy.ParseHash(m.Caller); err != nil {
			return c, fmt.Errorf("caller: %w", err)
		}
	}
	if m.Credential != "" {
		if c.credential, err = policy.ParseHash(m.Credential); err != nil {
			return c, fmt.Errorf("credential: %w", err)
		}
	}
	if m.Address != "" {
		if c.address, err = netip.ParseAddr(m.Address); err != nil || c.address.Zone() != "" {
			return c, fmt.Errorf("address: %q is none; write it like 203.0.113.7", m.Address)
		}
		c.address = c.address.Unmap()
	}
	if m.Network != "" {
		if c.network, err = netip.ParsePrefix(m.Network); err != nil {
			return c, fmt.Errorf("network: %q is none; write it like 203.0.113.0/24", m.Network)
		}
		if a, bits := c.network.Addr(), c.network.Bits(); a.Is4In6() && bits >= 96 { // holds asks for the address within
			c.network = netip.PrefixFrom(a.Unmap(), bits-96)
		}
		c.network = c.network.Masked()
	}
	return c, nil
}

func (c *matcher) holds(ex *scoring.Exchange, rule string) bool {
	none := profile.Key{}
	return (c.rule == "" || c.rule == rule) &&
		(c.route == "" || c.route == ex.Route.Name) &&
		(c.caller == none || c.caller == ex.Entities[profile.KindCaller].Key) &&
		(c.credential == none || c.credential == ex.Entities[profile.KindCredential].Key) &&
		(!c.address.IsValid() || c.address == ex.Address.Unmap().WithZone("")) &&
		(!c.network.IsValid() || c.network.Contains(ex.Address.Unmap().WithZone("")))
}

// Of says in words what a Match is about.
func (m *Match) Of() string {
	var parts []string
	for _, p := range [][2]string{
		{"caller", cmp.Or(m.CallerName, m.Caller)}, {"credential", m.Credential}, {"address", m.Address},
		{"network", m.Network}, {"route", m.Route}, {"rule", m.Rule},
	} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	return strings.Join(parts, ", ")
}
