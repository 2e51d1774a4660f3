package edge

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWhatEnvoyIsNeverTold(t *testing.T) {
	f := func(want string, p netip.Prefix) {
		t.Helper()
		blocks, refused := newGuard(false).admit([]netip.Prefix{p})
		if len(blocks) != 0 || len(refused) != 1 || !strings.Contains(refused[0].Error(), want) {
			t.Errorf("%v: %v, %v, want %q", p, blocks, refused, want)
		}
	}
	f("no network", netip.Prefix{})
	for _, all := range parse("0.0.0.0/0", "128.0.0.0/1", "8.0.0.0/8", "203.0.0.0/15", "::/0", "2000::/3", "2001::/31", "::ffff:0.0.0.0/96", "::ffff:8.0.0.0/104") {
		f("too much of the world", all)
	}
	for _, own := range parse("127.0.0.1/32", "10.1.0.0/16", "10.1.2.3/32", "192.168.7.0/24", "172.31.255.255/32", "100.64.0.1/32", "169.254.169.254/32",
		"0.0.0.0/32", "255.255.255.255/32", "224.0.0.1/32", "::1/128", "::/128", "fe80::1/128", "fd00::/64", "ff02::1/128", "64:ff9b::/96", "::ffff:10.0.0.1/128",
		"::ffff:0:0/95", "0:0:0:0::/64") {
		f("nobody's from outside", own)
	}
}

func TestPrivateAddressesWhereClientsHaveThem(t *testing.T) {
	asked := parse("10.1.2.0/24", "127.0.0.1/32", "fd00::/64", "fe80::/64")
	if blocks, refused := newGuard(true).admit(asked); len(blocks) != 2 || len(refused) != 2 {
		t.Errorf("%v, %v", blocks, refused)
	}
}

func TestWhatEnvoyIsTold(t *testing.T) {
	f := func(asked, want []netip.Prefix) {
		t.Helper()
		if blocks, refused := newGuard(false).admit(asked); fmt.Sprint(blocks) != fmt.Sprint(want) || refused != nil {
			t.Errorf("%v: %v, %v; want %v", asked, blocks, refused, want)
		}
	}
	f(nil, nil)
	f(parse("203.0.113.9/32"), parse("203.0.113.9/32"))
	f(parse("203.0.113.9/24"), parse("203.0.113.0/24"))
	f(parse("203.0.0.0/16", "2001:db8::/32"), parse("203.0.0.0/16", "2001:db8::/32"))
	f(parse("::ffff:203.0.113.9/128", "::ffff:198.51.100.0/120"), parse("198.51.100.0/24", "203.0.113.9/32"))
	f(parse("203.0.113.9/32", "203.0.114.0/24", "203.0.113.0/24", "203.0.113.255/32", "203.0.113.9/32", "203.0.112.255/32"),
		parse("203.0.112.255/32", "203.0.113.0/24", "203.0.114.0/24"))
}

func TestALongListIsCut(t *testing.T) {
	var asked []netip.Prefix
	for i := range maxBlocks + 7 {
		asked = append(asked, netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
	}
	blocks, refused := newGuard(false).admit(asked)
	if len(blocks) != maxBlocks || len(refused) != 1 || !strings.HasPrefix(refused[0].Error(), "7 more than the 10000") {
		t.Errorf("%d blocks, %v", len(blocks), refused)
	}
	again, _ := newGuard(false).admit(asked)
	if newState(again).version != newState(blocks).version {
		t.Error("the same list is cut differently")
	}
}

// Whatever is asked for, nobody is refused who is not in it, and most of the
// world is not.
func TestNoListShutsOutEverybody(t *testing.T) {
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		if rapid.Bool().Draw(t, "six") {
			return netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes")))
		}
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "bytes")))
	})
	prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := addr.Draw(t, "address")
		return netip.PrefixFrom(a, rapid.IntRange(-1, a.BitLen()+1).Draw(t, "bits"))
	})
	rapid.Check(t, func(t *rapid.T) {
		asked := rapid.SliceOf(prefix).Draw(t, "asked")
		blocks, _ := newGuard(rapid.Bool().Draw(t, "private")).admit(asked)
		var share float64
		for i, b := range blocks {
			inAny := false
			for _, a := range asked {
				a = unmap(a)
				inAny = inAny || a.IsValid() && a.Contains(b.Addr()) && a.Bits() <= b.Bits()
			}
			if !inAny || b != b.Masked() {
				t.Fatalf("%v: nobody asked for %v", asked, b)
			}
			if i > 0 && blocks[i-1].Overlaps(b) {
				t.Fatalf("%v and %v", blocks[i-1], b)
			}
			if b.Addr().Is4() {
				share += 1 / float64(uint64(1)<<b.Bits())
			}
		}
		if share > 0.16 {
			t.Fatalf("%.0f %% of IPv4", 100*share)
		}
		newState(blocks)
	})
}
