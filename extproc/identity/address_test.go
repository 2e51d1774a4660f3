package identity

import (
	"net/netip"
	"testing"

	"github.com/wonted-project/wonted/scoring"
)

func TestClientAddress(t *testing.T) {
	f := func(trusted int, source string, want string, forwarded ...string) {
		t.Helper()
		var lines []string
		for _, x := range forwarded {
			lines = append(lines, "x-forwarded-for: "+x)
		}
		ex := request(lines...)
		ex.Source = []byte(source)
		got := clientAddress(ex, trusted)
		if want == "" && got.IsValid() || want != "" && got != netip.MustParseAddr(want) {
			t.Errorf("%d trusted, source %q, x-forwarded-for %q: %v, want %s", trusted, source, forwarded, got, want)
		}
	}
	// No trusted proxy: the header is never read, whatever it says.
	f(0, "203.0.113.9:40000", "203.0.113.9", "6.6.6.6", "203.0.113.9")
	f(0, "[2001:db8::1]:40000", "2001:db8::1")
	f(0, "[::ffff:203.0.113.9]:1", "203.0.113.9")
	f(0, "203.0.113.9", "203.0.113.9")
	f(0, "::1", "::1")
	f(0, "[fe80::1%eth0]:5", "fe80::1")
	f(0, "/run/some.sock", "", "6.6.6.6")
	f(0, "", "", "6.6.6.6")

	// use_remote_address: true. Envoy has appended its peer, the balancer
	// 10.0.0.1, which had appended the client's address.
	f(1, "10.0.0.1:40000", "203.0.113.9", "203.0.113.9,10.0.0.1")
	f(1, "10.0.0.1:40000", "203.0.113.9", "6.6.6.6, 203.0.113.9, 10.0.0.1") // forged on the left
	f(1, "10.0.0.1:40000", "203.0.113.9", "6.6.6.6", "203.0.113.9", "10.0.0.1")
	f(2, "10.0.0.1:40000", "203.0.113.9", "6.6.6.6,203.0.113.9,10.0.0.2,10.0.0.1")
	f(2, "10.0.0.1:40000", "10.0.0.1", "10.0.0.2,10.0.0.1") // one hop short: no guess
	f(1, "10.0.0.1:40000", "10.0.0.1", "10.0.0.1")          // nobody before the peer
	f(1, "10.0.0.1:40000", "10.0.0.1", "junk,10.0.0.1")
	f(1, "10.0.0.1:40000", "10.0.0.1", ",10.0.0.1")
	f(1, "127.0.0.1:40000", "203.0.113.9", "203.0.113.9,192.168.1.5") // a loopback peer: Envoy appends its own address
	f(1, "10.0.0.1:40000", "203.0.113.9", "203.0.113.9:5555, 10.0.0.1")
	f(1, "10.0.0.1:40000", "2001:db8::9", "[2001:db8::9]:5555, 10.0.0.1")

	// The same with skip_xff_append: the last entry is the balancer's.
	f(1, "10.0.0.1:40000", "203.0.113.9", "6.6.6.6,203.0.113.9")

	// use_remote_address: true, xff_num_trusted_hops: 1. Envoy has counted.
	f(1, "203.0.113.9:0", "203.0.113.9", "6.6.6.6,203.0.113.9,10.0.0.1")

	// use_remote_address: false. Nothing appended; source.address is the last entry.
	f(1, "203.0.113.9:0", "203.0.113.9", "6.6.6.6,203.0.113.9")
	f(2, "10.0.0.2:0", "203.0.113.9", "6.6.6.6,203.0.113.9,10.0.0.2")
	f(2, "10.0.0.2:0", "203.0.113.9", "10.0.0.2,203.0.113.9,10.0.0.2") // the client cannot pose as a proxy
}

func TestParseHost(t *testing.T) {
	f := func(in, want string, port uint16) {
		t.Helper()
		a, p, ok := parseHost([]byte(in))
		if want == "" && ok || want != "" && (!ok || a != netip.MustParseAddr(want) || p != port) {
			t.Errorf("%q: %v port %d, %v; want %s port %d", in, a, p, ok, want, port)
		}
	}
	f("1.2.3.4", "1.2.3.4", 0)
	f("1.2.3.4:80", "1.2.3.4", 80)
	f("1.2.3.4:", "1.2.3.4", 0)
	f("1.2.3.4:65536", "", 0)
	f("1.2.3.4:-1", "", 0)
	f("1.2.3.4:x", "", 0)
	f("::1", "::1", 0)
	f("[::1]", "::1", 0)
	f("[::1]:8", "::1", 8)
	f("[::1]8", "", 0)
	f("[::1", "", 0)
	f("[]", "", 0)
	f("", "", 0)
	f(":", "", 0)
	f("unknown", "", 0)
	f("_hidden", "", 0)
	f("1.2.3", "", 0)
	f("1.2.3.4.5:1", "", 0)
}

// TestHeaderChangesNothing: without trusted proxies no X-Forwarded-For moves
// anybody's profile.
func TestHeaderChangesNothing(t *testing.T) {
	r := resolver(t, Default(), 0)
	plain, forged := request(), request("x-forwarded-for: 6.6.6.6", "x-real-ip: 6.6.6.6", "forwarded: for=6.6.6.6", "x-envoy-external-address: 6.6.6.6")
	r.Resolve(plain)
	r.Resolve(forged)
	same := func(a, b *scoring.Identity) bool { return a.Key == b.Key && a.Rule == b.Rule }
	for kind := range plain.Entities {
		if !same(&plain.Entities[kind], &forged.Entities[kind]) {
			t.Errorf("kind %d changes with a forged header", kind)
		}
	}
	if plain.Address != forged.Address {
		t.Error("the address changes with a forged header")
	}
}
