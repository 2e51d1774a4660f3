package quarantine

import (
	"bytes"
	"net/netip"

	"github.com/wonted-project/wonted/scoring"
)

// host is what counts as one address: of IPv6 the /64, whose lower half a host
// changes at will (RFC 8981).
func host(a netip.Addr) netip.Prefix { return prefix(a, 32, 64) }

// network is the neighbourhood of an address.
func network(a netip.Addr) netip.Prefix { return prefix(a, 24, 48) }

func prefix(a netip.Addr, v4, v6 int) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := v4
	if a.Is6() {
		bits = v6
	}
	p, _ := a.Prefix(bits) // none of none
	return p
}

// common: prefixes of this length are entities of exchanges, and found by their
// keys.
func common(p netip.Prefix) bool { return p == host(p.Addr()) || p == network(p.Addr()) }

// written: Envoy took the address from a header, as it shows by port 0. Where no
// proxy is trusted, clients can write that: then who is blocked would be theirs
// to say.
func written(ex *scoring.Exchange) bool { return bytes.HasSuffix(ex.Source, []byte(":0")) }

// name is how an address or network is written as an entity: as identity.Resolver
// writes it.
func name(p netip.Prefix) string {
	if p.IsSingleIP() && p.Addr().Is4() {
		return p.Addr().String()
	}
	return p.String()
}
