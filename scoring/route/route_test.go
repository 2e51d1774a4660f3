package route

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestName(t *testing.T) {
	f := func(method, path, want string, placeholders int) {
		t.Helper()
		m := New().Match([]byte(method), []byte(path))
		if m.Name != want || m.Placeholders != placeholders || (m.Object != 0) != (placeholders > 0) || m.ID == 0 || m.Known {
			t.Errorf("%s %.80q: %+v, want %q with %d placeholders", method, path, m, want, placeholders)
		}
	}
	f("GET", "/v1/orders/17?x=1", "GET /v1/orders/{id}", 1)
	f("GET", "/v1/orders/17#x", "GET /v1/orders/{id}", 1)
	f("GET", "/", "GET /", 0)
	f("GET", "", "GET /", 0)
	f("OPTIONS", "*", "OPTIONS /%2A", 0)
	f("get", "/a", "OTHER /a", 0)
	f("BREW", "/a", "OTHER /a", 0)

	// Shapes.
	f("GET", "/u/3b241101-e2bb-4255-8caf-4136c566a962", "GET /u/{id}", 1)
	f("GET", "/c/9fceb02d", "GET /c/{id}", 1)
	f("GET", "/c/deadbeef/decade/feedface", "GET /c/deadbeef/decade/feedface", 0)
	f("GET", "/c/abcdefabcdefabcd", "GET /c/{id}", 1)
	f("GET", "/r/2026-11-20/x/2026-11/2026-11-20T10:00", "GET /r/{date}/x/{date}/{date}", 3)
	f("GET", "/r/2026-99-20", "GET /r/{id}", 1)
	f("GET", "/t/4eC39HqLyjWDarjtT1zdp7dc", "GET /t/{id}", 1)
	f("GET", "/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "GET /t/{id}", 1)
	f("GET", "/t/getCustomerByIdentifier", "GET /t/getCustomerByIdentifier", 0)
	f("GET", "/t/internationalisation-guide", "GET /t/internationalisation-guide", 0)
	f("GET", "/t/"+strings.Repeat("a", 65), "GET /t/{id}", 1)
	f("GET", "/o/order-10017/INV-2024-0007/v2/sha-256", "GET /o/{id}/{id}/v2/sha-256", 2)
	f("GET", "/o/-1/3,4,5", "GET /o/{id}/{id}", 2)
	f("GET", "/o/17.json/report.pdf", "GET /o/{id}.json/report.pdf", 1)
	f("GET", "/o/bob@example.com", "GET /o/{id}", 1)
	f("POST", "/pkg.v1.Orders/GetOrder", "POST /pkg.v1.Orders/GetOrder", 0)

	// One path, many spellings.
	f("GET", "//v1///orders//", "GET /v1/orders", 0)
	f("GET", "/%76%31/orders;a=b/%31%37;c", "GET /v1/orders/{id}", 1)
	f("GET", "/a/./b/../c/%2e%2e/d", "GET /a/d", 0)
	f("GET", "/../../a", "GET /a", 0)
	f("GET", "/a%2Fb/%c3%a9/\x00/\xff/%/%4", "GET /a%2Fb/%C3%A9/%00/%FF/%/%4", 0)
	f("GET", "/a/{id}/*", "GET /a/%7Bid%7D/%2A", 0)

	// Bounds.
	f("GET", strings.Repeat("/a", 1000), "GET"+" "+strings.Repeat("/a", 32)+"/*", 1)
	f("GET", strings.Repeat("/7", 1000), "GET"+" "+strings.Repeat("/{id}", 32)+"/*", 33)
	f("GET", "/x/"+strings.Repeat("y", 64<<10), "GET /x/*", 1)
	f("GET", strings.Repeat("/"+strings.Repeat("w", 60), 30), "GET"+" "+strings.Repeat("/"+strings.Repeat("w", 60), 4)+"/*", 1)
}

// Objects: the same for every spelling, different for every value.
func TestObject(t *testing.T) {
	table := New()
	object := func(path string) uint64 { return table.Match([]byte("GET"), []byte(path)).Object }
	if object("/o/17?x") != object("//o/%31%37;p") {
		t.Error("two spellings of one object differ")
	}
	long := strings.Repeat("/w", 40)
	seen := map[uint64]string{}
	for _, path := range []string{"/o/1", "/o/2", "/p/1", "/o/1/23", "/o/12/3", "/o/1/2/3", "/o/3/2/1", long, long + "/x",
		strings.Repeat("/"+strings.Repeat("w", 60), 5), strings.Repeat("/"+strings.Repeat("w", 60), 6)} {
		h := object(path)
		if other, ok := seen[h]; ok {
			t.Errorf("%.40s and %.40s are one object", path, other)
		}
		seen[h] = path
	}
}

func TestLearnAndFallback(t *testing.T) {
	table := New()
	get := []byte("GET")
	first := table.Match(get, []byte("/a/1"))
	table.Learn(first)
	table.Learn(first)
	if m := table.Match(get, []byte("/a/2")); !m.Known || m.ID != first.ID || m.Name != first.Name || m.Object == first.Object || table.Len() != 1 {
		t.Errorf("after learning: %+v, %d routes", m, table.Len())
	}
	path := func(i int) []byte {
		return fmt.Appendf(nil, "/r/%c/%c/%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676)
	}
	for i := range MaxRoutes + 100 {
		table.Learn(table.Match(get, path(i)))
	}
	if table.Len() != MaxRoutes {
		t.Errorf("%d routes, want %d", table.Len(), MaxRoutes)
	}
	if m := table.Match(get, path(MaxRoutes+50)); m.Name != "GET /*" || !m.Known {
		t.Errorf("beyond the bound: %+v", m)
	}
	if m := table.Match(get, path(1)); m.Name != "GET /r/b/a/a" || !m.Known {
		t.Errorf("a known route of a full table: %+v", m)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	table := New()
	get, path := []byte("GET"), []byte("/v1/customers/3b241101-e2bb-4255-8caf-4136c566a962/orders/17?x=1")
	table.Learn(table.Match(get, path))
	if n := testing.AllocsPerRun(100, func() { table.Match(get, path) }); n != 0 {
		t.Errorf("%v allocations for a known route", n)
	}
}

func TestConcurrentLearning(t *testing.T) {
	table := New()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 26 * 20 {
				path := fmt.Appendf(nil, "/x/%c/%c", 'a'+(i+g)%26, 'a'+i/26)
				m := table.Match([]byte("GET"), path)
				table.Learn(m)
				if again := table.Match([]byte("GET"), path); !again.Known || again.Name != m.Name {
					t.Errorf("%s: %+v", path, again)
				}
			}
		})
	}
	wg.Wait()
	if table.Len() != 26*20 {
		t.Errorf("%d routes, want %d", table.Len(), 26*20)
	}
}

// FuzzMatch: any bytes give a bounded, printable, stable name, the same before
// and after it is learned.
func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"/v1/orders/17?x", "//a;b/%2e%2e/%zz", strings.Repeat("/9", 99), "\x00\xff/{id}"} {
		f.Add([]byte("GET"), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, method, path []byte) {
		table := New()
		m := table.Match(method, path)
		if len(m.Name) > maxName || m.Placeholders > maxSegments+1 || m.ID == 0 {
			t.Fatalf("out of bounds: %+v", m)
		}
		for _, c := range []byte(m.Name) {
			if c < ' ' || c > '~' {
				t.Fatalf("name %q is not printable", m.Name)
			}
		}
		table.Learn(m)
		again := table.Match(method, bytes.Clone(path))
		if m.Known, m.entry = true, again.entry; again != m || again.entry == nil {
			t.Fatalf("learned %+v, then %+v", m, again)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	table := New()
	get, path := []byte("GET"), []byte("/v1/customers/8812/orders/17?x=1")
	table.Learn(table.Match(get, path))
	b.ReportAllocs()
	for b.Loop() {
		table.Match(get, path)
	}
}
