package edge

import (
	"net/netip"
	"testing"

	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	"pgregory.net/rapid"
)

// evaluate goes through the principals as Envoy does, and counts the networks
// that it compares.
func evaluate(t testing.TB, ids []*rbacv3.Principal, a netip.Addr, compared *int) bool {
	for _, id := range ids {
		switch is := id.Identifier.(type) {
		case *rbacv3.Principal_RemoteIp:
			*compared++
			addr, err := netip.ParseAddr(is.RemoteIp.AddressPrefix)
			if err != nil {
				t.Fatal(err)
			}
			if netip.PrefixFrom(addr, int(is.RemoteIp.PrefixLen.Value)).Contains(a) {
				return true
			}
		case *rbacv3.Principal_AndIds:
			all := true
			for _, one := range is.AndIds.Ids {
				if all = evaluate(t, []*rbacv3.Principal{one}, a, compared); !all {
					break
				}
			}
			if all {
				return true
			}
		case *rbacv3.Principal_OrIds:
			if evaluate(t, is.OrIds.Ids, a, compared) {
				return true
			}
		default:
			t.Fatalf("%T is not expected", is)
		}
	}
	return false
}

// principals are those of the only policy, which denies; none: there are no rules.
func principals(t testing.TB, s *state) []*rbacv3.Principal {
	var rbac filterv3.RBAC
	if err := s.config.TypedConfig.UnmarshalTo(&rbac); err != nil {
		t.Fatal(err)
	}
	if rbac.Rules == nil {
		return nil
	}
	if rbac.Rules.Action != rbacv3.RBAC_DENY || len(rbac.Rules.Policies) != 1 || rbac.Matcher != nil {
		t.Fatalf("not a policy that denies: %v", &rbac)
	}
	policy := rbac.Rules.Policies[policyName]
	if err := rbac.ValidateAll(); err != nil {
		t.Fatal(err)
	}
	return policy.Principals
}

// An empty list is no rules at all: rules that allow nobody would refuse all.
func TestNobodyIsRefusedByAnEmptyList(t *testing.T) {
	if ids := principals(t, newState(nil)); ids != nil {
		t.Errorf("%v", ids)
	}
}

// Whatever the tree looks like, it refuses who is in the list and nobody else.
func TestTheTreeIsTheList(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		near := rapid.Custom(func(r *rapid.T) netip.Addr {
			// Few values a byte, so that many agree in many.
			b := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 127, 255}), 4, 4).Draw(r, "bytes")
			if rapid.Bool().Draw(r, "six") {
				return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, b[0], b[1], 0, b[2], 14: b[3], 15: b[0]})
			}
			return netip.AddrFrom4([4]byte{203, b[1] % 2, b[2], b[3]})
		})
		asked := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) netip.Prefix {
			a := near.Draw(r, "address")
			return netip.PrefixFrom(a, rapid.IntRange(a.BitLen()/2, a.BitLen()).Draw(r, "bits"))
		}), 0, 80).Draw(r, "asked")
		blocks, refused := newGuard(false).admit(asked)
		if refused != nil {
			r.Fatal(refused)
		}
		ids := principals(t, newState(blocks))
		for range 30 {
			a := near.Draw(r, "who")
			want := false
			for _, p := range asked {
				want = want || p.Contains(a)
			}
			if got := evaluate(t, ids, a, new(int)); got != want {
				r.Fatalf("%v is refused: %v, want %v by %v", a, got, want, asked)
			}
		}
	})
}

// What a request costs that passes, in comparisons, by how the list is spread.
func TestTheTreeIsShallow(t *testing.T) {
	f := func(name string, most int, address func(i int) netip.Addr, who string) {
		t.Helper()
		var asked []netip.Prefix
		for i := range maxBlocks {
			a := address(i)
			asked = append(asked, netip.PrefixFrom(a, a.BitLen()))
		}
		blocks, refused := newGuard(false).admit(asked)
		if refused != nil || len(blocks) < maxBlocks-1 {
			t.Fatalf("%s: %d, %v", name, len(blocks), refused)
		}
		ids, n := principals(t, newState(blocks)), 0
		if evaluate(t, ids, netip.MustParseAddr(who), &n) {
			t.Errorf("%s: %s is refused", name, who)
		}
		if n > most {
			t.Errorf("%s: %d networks are compared, want %d at most", name, n, most)
		}
		t.Logf("%s: %d comparisons for %s", name, n, who)
	}
	spread := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte{20 + byte(i%80), byte(i / 80), byte(i * 7), byte(i * 31)})
	}
	f("all over", 300, spread, "198.51.100.9")
	f("all over", 300, spread, "21.1.1.1")
	dense := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}) }
	f("one network", 300, dense, "198.51.100.9")
	f("one network", 300, dense, "203.0.255.255")
	six := func(i int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i), 0, 0, byte(i >> 8), 15: 1})
	}
	f("IPv6", 300, six, "2001:db8::2")
}
