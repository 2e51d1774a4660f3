package identity

import (
	"bytes"
	"net/netip"
	"strconv"
	"unsafe"

	"github.com/wonted-project/wonted/scoring"
)

// Which address is the client's?
//
// Envoy's attribute source.address follows the listener's settings:
// the peer with use_remote_address: true, an entry of X-Forwarded-For with
// xff_num_trusted_hops or without use_remote_address; an address out of the
// header has port 0. With no trusted proxies that attribute is the answer, and
// the header, which any client can write, is never read.
//
// With N trusted proxies in front of Envoy the header reads, from the right:
//
//	use_remote_address: true    peer, N-1 proxies, CLIENT, whatever the client wrote
//	use_remote_address: false         N-1 proxies, CLIENT, whatever the client wrote
//
// since each proxy appends the peer it saw, and so does Envoy itself in the
// first case, before this filter sees the header. So: take Envoy's own entry
// off if there is one, then the N-th from the right. That entry was written by
// a trusted proxy in either case; one further left could be the client's own.
// Envoy's own entry is there when source.address is the peer (port not 0) and
// is the last entry; for a loopback peer Envoy appends its local address
// instead. Where Envoy has counted the same hops itself
// (xff_num_trusted_hops: N), its answer stands.
//
// A missing or garbled entry falls back to source.address: coarser, not forgeable.
func clientAddress(ex *scoring.Exchange, trusted int) netip.Addr {
	source, fromHeader := parseSource(ex.Source)
	if trusted <= 0 {
		return source
	}
	own := 0 // entries that Envoy itself has appended
	if !fromHeader && (source.IsLoopback() || forwarded(ex, 1) == source) {
		own = 1
	}
	if fromHeader && hop(ex, source, trusted+1) == trusted+1 {
		return source
	}
	if a := forwarded(ex, trusted+own); a.IsValid() {
		return a
	}
	return source
}

// hop is the first place from the right, up to max, where an address stands in
// X-Forwarded-For; 0 if nowhere.
func hop(ex *scoring.Exchange, a netip.Addr, max int) int {
	for n := 1; n <= max; n++ {
		if forwarded(ex, n) == a {
			return n
		}
	}
	return 0
}

// forwarded is the n-th address from the right in X-Forwarded-For, counting
// from 1; the zero Addr if there is none or it is garbled.
func forwarded(ex *scoring.Exchange, n int) netip.Addr {
	for i := len(ex.Headers) - 1; i >= 0; i-- {
		h := &ex.Headers[i]
		if string(h.Name) != "x-forwarded-for" {
			continue
		}
		for line := h.Value; len(line) > 0; n-- {
			entry := line
			if comma := bytes.LastIndexByte(line, ','); comma >= 0 {
				entry, line = line[comma+1:], line[:comma]
			} else {
				line = nil
			}
			if n == 1 {
				a, _, _ := parseHost(bytes.TrimSpace(entry))
				return a
			}
		}
	}
	return netip.Addr{}
}

// parseSource reads the attribute source.address. fromHeader says that Envoy
// took it from X-Forwarded-For: port 0, or (in logs) no port at all.
func parseSource(b []byte) (a netip.Addr, fromHeader bool) {
	a, port, _ := parseHost(b)
	return a, port == 0
}

// parseHost reads "192.0.2.1", "192.0.2.1:80", "::1", "[::1]" or "[::1]:80".
// IPv4 in IPv6 is IPv4, and zones, which mean something on one host only, go.
func parseHost(b []byte) (a netip.Addr, port uint16, ok bool) {
	if len(b) > 64 {
		return a, 0, false
	}
	host := b
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return a, 0, false
		}
		host, b = b[1:end], b[end+1:]
		if len(b) > 0 && b[0] != ':' {
			return a, 0, false
		}
	} else if i := bytes.IndexByte(b, ':'); i >= 0 && i == bytes.LastIndexByte(b, ':') {
		host, b = b[:i], b[i:]
	} else {
		b = nil
	}
	if len(b) > 1 {
		p, err := strconv.ParseUint(view(b[1:]), 10, 16)
		if err != nil {
			return a, 0, false
		}
		port = uint16(p)
	}
	if i := bytes.IndexByte(host, '%'); i >= 0 {
		host = host[:i]
	}
	a, err := netip.ParseAddr(view(host))
	if err != nil {
		return netip.Addr{}, 0, false
	}
	return a.Unmap(), port, true
}

// view reads bytes as a string without copying. The parsers it is given to keep
// nothing of it but the text of an error, which is dropped at once.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// network is the neighbourhood of an address: /24, or /48 for IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, _ := a.Prefix(bits)
	return p
}

// host is what counts as one address. An IPv6 host changes its lower 64 bits at
// will (RFC 8981), so there it is the /64.
func host(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
