package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ask matches a request that the upstream answers well.
func (t *Table) ask(method, path string) Match {
	m := t.Match([]byte(method), []byte(path))
	t.Learn(m)
	return m
}

func (t *Table) name(method, path string) string {
	return t.Match([]byte(method), []byte(path)).Name
}

// letters is the i-th name: two letters and more, no shape of an id.
func letters(i int) string {
	s := []byte{'x', 'a' + byte(i%26)}
	for i /= 26; i > 0; i /= 26 {
		s = append(s, 'a'+byte(i%26))
	}
	return string(s)
}

func TestTenantsAreFolded(t *testing.T) {
	table := New()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		tenant := letters(rng.IntN(500))
		for _, rest := range []string{"/orders", "/orders/17", "/invoices", "/users"} {
			table.ask("GET", "/v1/tenants/"+tenant+rest)
		}
	}
	f := func(path, want string, placeholders int) {
		t.Helper()
		if m := table.Match([]byte("GET"), []byte(path)); m.Name != want || m.Placeholders != placeholders || (m.Object != 0) != (placeholders > 0) {
			t.Errorf("%s: %+v, want %s", path, m, want)
		}
	}
	f("/v1/tenants/acme/orders", "GET /v1/tenants/{id}/orders", 1)
	f("/v1/tenants/acme/orders/17", "GET /v1/tenants/{id}/orders/{id}", 2)
	f("/v1/tenants/new/orders", "GET /v1/tenants/new/orders", 0) // conventional
	f("/v1/tenants", "GET /v1/tenants", 0)
	f("/v1/acme/orders", "GET /v1/acme/orders", 0)
	if n := table.Len(); n != 4 {
		t.Errorf("%d routes, want the four: %v", n, names(table))
	}
	if m := table.Match([]byte("GET"), []byte("/v1/tenants/unseen/users")); !m.Known {
		t.Error("a route of folded ones is not known")
	}
	if a, b := table.Match([]byte("GET"), []byte("/v1/tenants/a/users")), table.Match([]byte("GET"), []byte("/v1/tenants/b/users")); a.Object == b.Object {
		t.Error("two tenants are one object")
	}
}

func names(t *Table) (all []string) {
	for _, e := range t.routes {
		all = append(all, e.name)
	}
	slices.Sort(all)
	return all
}

// Users at the end of the path are told by how many are yet to come.
func TestUsersAreFolded(t *testing.T) {
	for seed := range uint64(10) {
		for _, zipf := range []float64{0, 1.1} {
			table := New()
			rng := rand.New(rand.NewPCG(seed, 1))
			draw := func() int { return rng.IntN(500) }
			if zipf > 0 {
				z := rand.NewZipf(rng, zipf, 1, 999)
				draw = func() int { return int(z.Uint64()) }
			}
			for range 4000 {
				table.ask("GET", "/v1/users/me")
				table.ask("GET", "/v1/users/"+letters(draw()))
				table.ask("GET", "/v1/users")
			}
			if got := table.name("GET", "/v1/users/alice"); got != "GET /v1/users/{id}" || table.name("GET", "/v1/users/me") != "GET /v1/users/me" {
				t.Fatalf("seed %d, zipf %v: %s, %d routes", seed, zipf, got, table.Len())
			}
		}
	}
}

// An API's own words are many, too: whatever the order in which they are first
// asked for, they stay.
func TestVocabularyStays(t *testing.T) {
	f := func(name string, n int, paths func(word string) []string) {
		t.Helper()
		for seed := range uint64(20) {
			table := New()
			rng := rand.New(rand.NewPCG(seed, 3))
			z := rand.NewZipf(rng, 1.01, 3, uint64(n-1))
			for i := range 6000 {
				k := int(z.Uint64())
				if i%2 == 0 {
					k = rng.IntN(n)
				}
				for _, p := range paths(letters(k)) {
					table.ask("GET", p)
				}
			}
			if len(table.folds) > 0 {
				t.Fatalf("%s, seed %d: folded %v", name, seed, table.folds)
			}
		}
	}
	f("collections", 120, func(w string) []string { return []string{"/v1/" + w, "/v1/" + w + "/17"} })
	f("operations", 150, func(w string) []string { return []string{"/pkg.v1.Shop/Get" + w} })
	f("services", 90, func(w string) []string {
		return []string{"/" + w + "/health", "/" + w + "/v1/" + w + "s", "/" + w + "/v1/" + w + "-archive/17"}
	})
}

// What stands out stays: by its ways, by how often it is asked for, by what a
// policy names, by custom.
func TestOutstandingWordsStay(t *testing.T) {
	table := New()
	table.Keep([]string{"GET /v1/users/vip", "no route", "GET"})
	for range 300 {
		table.ask("GET", "/v1/users/sync")
		table.ask("POST", "/v1/users/upload/parts/cancel")
	}
	for i := range 300 {
		table.ask("GET", "/v1/users/"+letters(i))
	}
	for path, want := range map[string]string{
		"/v1/users/alice":               "GET /v1/users/{id}",
		"/v1/users/sync":                "GET /v1/users/sync",
		"/v1/users/vip":                 "GET /v1/users/vip",
		"/v1/users/me":                  "GET /v1/users/me",
		"/v1/users/upload/parts/cancel": "GET /v1/users/upload/parts/cancel",
	} {
		if got := table.name("GET", path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	// A policy that comes later gets its route back.
	table.Keep([]string{"DELETE /v1/users/root"})
	if a, b := table.name("DELETE", "/v1/users/root"), table.name("GET", "/v1/users/vip"); a != "DELETE /v1/users/root" || b != "GET /v1/users/{id}" {
		t.Errorf("%s, %s", a, b)
	}
}

// Folds below a place that is folded later are its placeholder's.
func TestNestedFolds(t *testing.T) {
	table := New()
	for i := range 300 {
		table.ask("GET", "/v1/tenants/acme/users/"+letters(i))
	}
	if got := table.name("GET", "/v1/tenants/acme/users/bob"); got != "GET /v1/tenants/acme/users/{id}" {
		t.Fatal(got)
	}
	var merges []Merge
	for i := range 70 {
		m := table.Match([]byte("GET"), []byte("/v1/tenants/"+letters(i)+"/users/bob"))
		merges = append(merges, table.Learn(m)...)
	}
	if got := table.name("GET", "/v1/tenants/zeta/users/eve"); got != "GET /v1/tenants/{id}/users/{id}" || table.Len() != 1 {
		t.Errorf("%s, %v", got, names(table))
	}
	id := table.Match([]byte("GET"), []byte("/v1/tenants/zeta/users/eve")).ID
	if len(merges) != 1 || merges[0].ID != id || len(merges[0].From) != 1+64 {
		t.Errorf("%+v", merges)
	}
}

// Whatever is asked for, the table, its tree and its folds keep their bounds.
func TestMillionsOfPaths(t *testing.T) {
	f := func(name string, n int, path func(rng *rand.Rand) string) {
		t.Helper()
		table := New()
		rng := rand.New(rand.NewPCG(7, 7))
		for range n {
			table.ask("GET", path(rng))
		}
		if len(table.routes) > MaxRoutes || table.evidence.places > maxPlaces || len(table.folds) > maxFolds {
			t.Errorf("%s: %d routes, %d places, %d folds", name, len(table.routes), table.evidence.places, len(table.folds))
		}
		for _, p := range table.evidence.wide(1) {
			if p.words > maxValues {
				t.Errorf("%s: %d values at %s", name, p.words, p.path)
			}
		}
		t.Logf("%s: %d routes, %d places, %d folds", name, len(table.routes), table.evidence.places, len(table.folds))
	}
	any := func(rng *rand.Rand) string { return letters(rng.IntN(1 << 30)) }
	f("one segment", 1_000_000, func(rng *rand.Rand) string { return "/" + any(rng) })
	f("three segments", 100_000, func(rng *rand.Rand) string { return "/" + any(rng) + "/" + any(rng) + "/" + any(rng) })
	f("any depth", 20_000, func(rng *rand.Rand) string {
		return strings.Repeat("/"+any(rng), 1+rng.IntN(40))
	})
	f("deep", 3000, func(rng *rand.Rand) string {
		var b strings.Builder
		for range 1000 {
			b.WriteString("/" + any(rng))
		}
		return b.String() + "/" + strings.Repeat("y", 60<<10)
	})
	f("few at each", 30_000, func(rng *rand.Rand) string {
		return fmt.Sprintf("/%s/%s/%s/%s", letters(rng.IntN(40)), letters(rng.IntN(40)), letters(rng.IntN(40)), letters(rng.IntN(40)))
	})
}

// Naming is idempotent, the same for the same requests in the same order, and
// what a fold says of a name is what Match says of its path.
func TestFoldingProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		wide := rapid.SliceOfN(rapid.SampledFrom([]int{1, 3, 80, 200, 600}), 1, 4).Draw(t, "words a segment")
		n := rapid.IntRange(1, 1500).Draw(t, "requests")
		play := func() (*Table, []string) {
			table, rng := New(), rand.New(rand.NewPCG(seed, 0))
			var paths []string
			for range n {
				var b strings.Builder
				for _, w := range wide[:1+rng.IntN(len(wide))] {
					b.WriteString("/" + letters(rng.IntN(w)))
				}
				paths = append(paths, b.String())
				table.ask("GET", b.String())
			}
			return table, paths
		}
		a, paths := play()
		b, _ := play()
		if x, y := string(a.Save()), string(b.Save()); x != y {
			t.Fatalf("one order, two outcomes:\n%s\n%s", x, y)
		}
		g := a.view.Load().guide
		for _, p := range paths {
			name := a.name("GET", p)
			if again := g.rename(name); again != name {
				t.Fatalf("%s is renamed to %s", name, again)
			}
			if plain := g.rename("GET " + p); plain != name {
				t.Fatalf("%s: %s by Match, %s by name", p, name, plain)
			}
		}
		// What was saved names everything alike, and is saved alike.
		c := New()
		if err := c.Load(a.Save()); err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if x, y := a.Match([]byte("GET"), []byte(p)), c.Match([]byte("GET"), []byte(p)); x.Name != y.Name || x.ID != y.ID || x.Object != y.Object || x.Known != y.Known {
				t.Fatalf("%s: %+v, after a restart %+v", p, x, y)
			}
		}
		if string(c.Save()) != string(a.Save()) {
			t.Fatalf("saved %s, then %s", a.Save(), c.Save())
		}
	})
}

func TestMatchAllocatesNothingAmongFolds(t *testing.T) {
	table := folded()
	get, path := []byte("GET"), []byte("/v1/tenants/acme/orders/17?x=1")
	table.Learn(table.Match(get, path))
	if n := testing.AllocsPerRun(100, func() { table.Learn(table.Match(get, path)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func folded() *Table {
	table := New()
	for i := range 100 {
		table.ask("GET", "/v1/tenants/"+letters(i)+"/orders/17")
		table.ask("GET", "/v1/tenants/"+letters(i)+"/orders")
	}
	return table
}

func BenchmarkMatchFolded(b *testing.B) {
	table := folded()
	get, path := []byte("GET"), []byte("/v1/tenants/acme/orders/17?x=1")
	if m := table.ask("GET", string(path)); m.Name != "GET /v1/tenants/{id}/orders/{id}" {
		b.Fatal(m.Name)
	}
	b.ReportAllocs()
	for b.Loop() {
		table.Match(get, path)
	}
}
