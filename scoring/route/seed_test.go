package route

import (
	"strings"
	"testing"
)

func TestSeed(t *testing.T) {
	table := New()
	before := map[string]string{}
	paths := []string{"/v1/orders/17", "/v1/orders/2026-11-20", "/v1/orders", "/v1/files/17.json", "/v1/orders/17/items", "/nowhere/17"}
	for _, p := range paths {
		before[p] = table.name("GET", p)
	}
	err := table.Seed([]Described{
		{"GET", "/v1/orders"}, {"GET", "/v1/orders/{orderId}"}, {"POST", "/v1/orders/{orderId}:cancel"}, {"GET", "/v1/orders/{orderId}/items"},
		{"GET", "/v1/orders/summary"}, {"GET", "/v1/files/{name}.json"}, {"GET", "/v1/files/{name}"},
		{"GET", "/v1/reports/2026"}, {"GET", "/v1/%61/{a}-{b}"}, {"GET", "/v1/users/{name}/orders/{orderId}"}, {"GET", "/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		if got := table.name("GET", p); got != before[p] {
			t.Errorf("%s was %s, and is %s with a description", p, before[p], got)
		}
	}
	f := func(method, path, want string, number uint64) {
		t.Helper()
		if m := table.Match([]byte(method), []byte(path)); m.Name != want || m.Number != number || !m.Known {
			t.Errorf("%s: %+v, want %s", path, m, want)
		}
	}
	f("GET", "/v1/orders/abc", "GET /v1/orders/{id}", 0)
	f("GET", "/v1/orders/summary", "GET /v1/orders/summary", 0)
	f("POST", "/v1/orders/abc:cancel", "POST /v1/orders/{id}:cancel", 0)
	f("POST", "/v1/orders/17:cancel", "POST /v1/orders/{id}:cancel", 17)
	f("GET", "/v1/orders/abc/items", "GET /v1/orders/{id}/items", 0)
	f("GET", "/v1/files/readme.json", "GET /v1/files/{id}.json", 0)
	f("GET", "/v1/files/readme", "GET /v1/files/{id}", 0)
	f("GET", "/v1/reports/2026", "GET /v1/reports/2026", 0)
	f("GET", "/v1/a/x-y", "GET /v1/a/{id}", 0)
	f("GET", "/v1/users/bob/orders/abc", "GET /v1/users/{id}/orders/{id}", 0)
	f("GET", "/", "GET /", 0)

	// What it names stays a word among hundreds that are folded.
	for i := range 300 {
		table.ask("GET", "/v1/"+letters(i))
	}
	f("GET", "/v1/bob", "GET /v1/{id}", 0)
	f("GET", "/v1/orders", "GET /v1/orders", 0)
}

func TestSeedRefuses(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		table := New()
		if err := table.Seed([]Described{{"GET", "/a"}, {"GET", path}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", path, err, want)
		}
		if table.Len() != 0 {
			t.Errorf("%.40s has left something", path)
		}
	}
	f("orders", "begins with /")
	f("/a/{b", "without its }")
	f("/"+strings.Repeat("a", 300), "longer than")
	f(strings.Repeat("/a", 40), "more than 32 segments")
	var many []Described
	for i := range MaxRoutes {
		many = append(many, Described{"GET", "/" + letters(i)})
	}
	if err := New().Seed(many); err == nil || !strings.Contains(err.Error(), "more than fit") {
		t.Error(err)
	}
}
