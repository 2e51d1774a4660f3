package edge

import (
	"fmt"
	"net/netip"
	"slices"
)

// What Envoy is told to refuse it refuses without asking, also while nobody is
// there to take it back. So whatever went wrong before, no list may shut out
// everybody: maxBlocks networks of the largest size are 15 % of IPv4. What the
// guard leaves out is in quarantine all the same; only that wonted is asked.
const (
	maxBlocks      = 10_000
	least4, least6 = 16, 32 // bits of the largest network
)

// never are addresses of one's own house and of nobody in particular: proxies,
// health checks and wonted's neighbours come from there, and that they are
// locked out cannot be told from an outage. Private ones are among them unless
// the operator says that clients have such.
var never, private = parse(
	"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
	"224.0.0.0/3",                   // multicast, reserved and broadcast
	"::/96",                         // unspecified and loopback
	"::ffff:0:0/96", "64:ff9b::/96", // IPv4 in another form: all of it
	"fe80::/10", "ff00::/8",
), parse("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")

func parse(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// guard is what is never handed to Envoy, beside what is too large.
type guard []netip.Prefix

func newGuard(allowPrivate bool) guard {
	if allowPrivate {
		return never
	}
	return slices.Concat(never, private)
}

// admit returns what Envoy may be told to refuse, sorted and without what is
// in it twice, and why the rest may not be.
func (g guard) admit(asked []netip.Prefix) (blocks []netip.Prefix, refused []error) {
	for _, p := range asked {
		p = unmap(p)
		if err := g.check(p); err != nil {
			refused = append(refused, err)
			continue
		}
		blocks = append(blocks, p.Masked())
	}
	slices.SortFunc(blocks, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	// A network stands before what lies in it.
	var last netip.Prefix
	blocks = slices.DeleteFunc(blocks, func(p netip.Prefix) bool {
		if last.IsValid() && last.Overlaps(p) {
			return true
		}
		last = p
		return false
	})
	if over := len(blocks) - maxBlocks; over > 0 {
		refused = append(refused, fmt.Errorf("%d more than the %d that Envoy is told of", over, maxBlocks))
		blocks = blocks[:maxBlocks]
	}
	return blocks, refused
}

func (g guard) check(p netip.Prefix) error {
	least := least4
	if p.Addr().Is6() {
		least = least6
	}
	switch {
	case !p.IsValid():
		return fmt.Errorf("%v is no network", p)
	case p.Bits() < least:
		return fmt.Errorf("%v is too much of the world: /%d at least", p, least)
	}
	for _, n := range g {
		if n.Overlaps(p) {
			return fmt.Errorf("%v is in %v, which is nobody's from outside", p, n)
		}
	}
	return nil
}

// unmap makes IPv4 of IPv4 in IPv6.
func unmap(p netip.Prefix) netip.Prefix {
	const mapping = 128 - 32
	if p.Addr().Is4In6() && p.Bits() >= mapping {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapping)
	}
	return p
}
