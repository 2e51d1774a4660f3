package quarantine

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// never knows who is never blocked.
type never struct {
	places []protected // by address alone
	others []exempt    // the rest
}

type protected struct {
	netip.Prefix
	why string
}

// exempt is an Exempt made ready, of which more than the address is asked.
type exempt struct {
	place  netip.Prefix // none: not asked
	agent  *glob
	caller *glob
	why    string
}

// builtIn are addresses that are not one client's in the world: a block would hit
// the proxy, the node or whoever has the number today.
var builtIn = []protected{
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("0.0.0.0/8"), "nobody's address"},
	{netip.MustParsePrefix("::/128"), "nobody's address"},
}

var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}

func newNever(c Config) (*never, error) {
	n := &never{places: slices.Clone(builtIn)}
	if !c.Private {
		for _, p := range private {
			n.places = append(n.places, protected{netip.MustParsePrefix(p), "private; quarantine.private: true allows to block it"})
		}
	}
	if len(c.Never) > mostExempt {
		return n, fmt.Errorf("never: there are %d entries, and at most %d are allowed", len(c.Never), mostExempt)
	}
	for i, e := range c.Never {
		fault := func(format string, args ...any) error {
			return fmt.Errorf("never: entry %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		of := exempt{why: fmt.Sprintf("on the list quarantine.never, entry %d", i+1)}
		var err error
		if e.Address != "" {
			if of.place, err = parsePlace(e.Address); err != nil {
				return n, fault("%v", err)
			}
		}
		if of.agent, err = newGlob(e.UserAgent); err != nil {
			return n, fault("user_agent %v", err)
		}
		if of.caller, err = newGlob(e.Caller); err != nil {
			return n, fault("caller %v", err)
		}
		switch {
		case of.agent == nil && of.caller == nil && !of.place.IsValid():
			return n, fault("it matches nobody: give address, user_agent or caller")
		case of.agent == nil && of.caller == nil:
			n.places = append(n.places, protected{of.place, of.why})
		default:
			n.others = append(n.others, of)
		}
	}
	return n, nil
}

// exchange says why nothing of an exchange may be blocked; "": it may.
func (n *never) exchange(ex *scoring.Exchange) string {
	if !named(ex) {
		if why := n.place(host(ex.Address)); why != "" {
			return why
		}
	}
	for i := range n.others {
		if e := &n.others[i]; e.matches(ex) {
			return e.why
		}
	}
	return ""
}

// named: somebody is named otherwise than by the address.
func named(ex *scoring.Exchange) bool {
	for k := profile.KindCaller; k <= profile.KindSession; k++ {
		if !unnamed(&ex.Entities[k]) {
			return true
		}
	}
	return false
}

// unnamed: there is no such entity, or it is the address under another name.
func unnamed(id *scoring.Identity) bool { return id.Kind == profile.KindNone || id.Rule == "address" }

// place says why no part of a network may be blocked; "": all of it may.
func (n *never) place(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	for i := range n.places {
		if n.places[i].Overlaps(p) {
			return n.places[i].Prefix.String() + " is " + n.places[i].why
		}
	}
	return ""
}

// depends: whether everybody in a network may be blocked depends on more than the
// address, so that wonted must be asked.
func (n *never) depends(p netip.Prefix) bool {
	for i := range n.others {
		if e := &n.others[i]; !e.place.IsValid() || e.place.Overlaps(p) {
			return true
		}
	}
	return false
}

// entity says why an entity may not be blocked, as far as it is known without an
// exchange.
func (n *never) entity(b *policy.Block) string {
	if b.Prefix.IsValid() {
		return n.place(b.Prefix)
	}
	for i := range n.others {
		e := &n.others[i]
		switch b.Entity {
		case "caller":
			if e.caller != nil && e.agent == nil && !e.place.IsValid() && (e.caller.matches([]byte(b.Name)) || e.caller.is(b.Hash)) {
				return e.why
			}
		case "device":
			if e.agent != nil && e.caller == nil && !e.place.IsValid() && e.agent.matches([]byte(b.Name)) {
				return e.why
			}
		}
	}
	return ""
}

func (e *exempt) matches(ex *scoring.Exchange) bool {
	who := &ex.Entities[profile.KindCaller]
	switch {
	case e.place.IsValid() && !e.place.Contains(ex.Address),
		e.agent != nil && !e.agent.matches(userAgent(ex)):
		return false
	case e.caller == nil:
		return true
	}
	return who.Kind != profile.KindNone && (e.caller.matches(who.Name) || e.caller.is(policy.Hash(who.Key)))
}

func userAgent(ex *scoring.Exchange) []byte {
	for i := range ex.Headers {
		if string(ex.Headers[i].Name) == "user-agent" {
			return ex.Headers[i].Value
		}
	}
	return nil
}

// glob is a text with at most one * for any text.
type glob struct {
	prefix, suffix string
	open           bool
}

func newGlob(pattern string) (*glob, error) {
	switch {
	case pattern == "":
		return nil, nil
	case strings.Count(pattern, "*") > 1:
		return nil, fmt.Errorf("%q has more than one *", pattern)
	case pattern == "*":
		return nil, fmt.Errorf("%q is everybody", pattern)
	}
	g := &glob{}
	g.prefix, g.suffix, g.open = strings.Cut(pattern, "*")
	return g, nil
}

func (g *glob) matches(s []byte) bool {
	if !g.open {
		return string(s) == g.prefix
	}
	return len(s) >= len(g.prefix)+len(g.suffix) &&
		string(s[:len(g.prefix)]) == g.prefix && string(s[len(s)-len(g.suffix):]) == g.suffix
}

func (g *glob) is(s string) bool { return !g.open && g.prefix == s }
