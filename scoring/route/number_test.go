package route

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	table := New()
	f := func(path string, want uint64) {
		t.Helper()
		if m := table.Match([]byte("GET"), []byte(path)); m.Number != want {
			t.Errorf("%.80s: number %d, want %d", path, m.Number, want)
		}
	}
	f("/v1/orders/17", 17)
	f("/v1/orders/17?page=18", 17)
	f("/v1/orders/%31%37;p=1/items", 17)
	f("/v1/orders/000017.json", 17)
	f("/v1/customers/8812/orders/17", 17) // the last of two
	f("/o/order-10017", 10017)
	f("/o/INV-2024-0007", 7)
	f("/o/18446744073709551615", 1<<64-1)

	f("/v1/orders", 0)
	f("/v1/sha-256", 0) // a word
	f("/o/18446744073709551616", 0)
	f("/o/99999999999999999999999", 0)
	f("/o/3,4,5", 0)
	f("/o/-1", 0)
	f("/o/9fceb02d", 0)
	f("/o/3b241101-e2bb-4255-8caf-413600000017", 0)
	f("/o/bob@example.com", 0)
	f("/r/2026-11-20", 0)
	f("/o/17/2026-11-20", 0) // the last is no integer
	f("/o/17/3b241101-e2bb-4255-8caf-4136c566a962", 0)
	f("/o/17/x"+string(make([]byte, 2000)), 0) // folded
}

// Neighbours in the path are neighbours in number, whatever stands before them.
func TestNumberKeepsOrder(t *testing.T) {
	table := New()
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "order-", "INV-2024-", "a_b:"}).Draw(t, "prefix")
		n := rapid.Uint64Range(1000, 1<<64-2).Draw(t, "n")
		at := func(n uint64) uint64 {
			return table.Match([]byte("GET"), []byte("/o/"+prefix+strconv.FormatUint(n, 10)+"/x")).Number
		}
		if at(n) != n || at(n+1)-at(n) != 1 {
			t.Fatalf("%s%d: %d, then %d", prefix, n, at(n), at(n+1))
		}
	})
}
