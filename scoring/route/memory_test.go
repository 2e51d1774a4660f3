package route

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestLoadRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		table := New()
		table.ask("GET", "/a")
		err := table.Load([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%.60q: %v, want %q", text, err, want)
		}
		reason := map[string]string{"begins with": "foreign", "more than fit": "large"}[want]
		if got := err.(interface{ Reason() string }).Reason(); got != cmp.Or(reason, "torn") {
			t.Errorf("%.60q is %s", text, got)
		}
		if len(table.folds) > 0 || table.Len() != 1 || table.name("GET", "/a") != "GET /a" {
			t.Errorf("%.60q has left something", text)
		}
	}
	lines := func(lines ...string) string {
		return strings.Join(append(append([]string{memoryHead}, lines...), memoryEnd), "\n") + "\n"
	}
	f("", "breaks off")
	f("wonted rou", "breaks off")
	f("PK\x03\x04", "begins with")
	f("wonted routes 2\nend\n", "begins with")
	f(memoryHead+"\n", "breaks off")
	f(memoryHead+"\nfold /v1/tenants/\n", "breaks off")
	f(lines("fold"), "line 2")
	f(lines("fold v1/"), "neither")
	f(lines("fold /v1"), "neither")
	f(lines("fold /v1/ a/b"), "no word")
	f(lines("fold /v1/ {id}"), "no word")
	f(lines("fold /v1/ \x00"), "printable")
	f(lines("route 1 BREW /a"), "neither")
	f(lines("route x GET /a"), "neither")
	f(lines("route 256 GET /a"), "neither")
	f(lines("route 1 GET a"), "neither")
	f(lines("route 1 GET /"+strings.Repeat("a", 10000)), "too long")
	f(lines(strings.Split(strings.Repeat("fold /a/\n", maxFolds+1), "\n")[:maxFolds+1]...), "more than fit")
	f(lines(strings.Split(strings.Repeat("route 1 GET /a\n", MaxRoutes), "\n")[:MaxRoutes]...), "more than fit")
}

func TestSaveIsText(t *testing.T) {
	table := New()
	for i := range 200 {
		table.ask("GET", "/v1/users/"+letters(i))
	}
	for range 300 {
		table.ask("POST", "/login")
	}
	const want = "wonted routes 1\nfold /v1/users/\nroute 200 GET /v1/users/{id}\nroute 255 POST /login\nend\n"
	if got := string(table.Save()); got != want {
		t.Errorf("%s", got)
	}
	// Words that stay are still words after a restart.
	again := New()
	if err := again.Load([]byte(strings.Replace(want, "users/\n", "users/ root sync\n", 1))); err != nil {
		t.Fatal(err)
	}
	if a, b := again.name("GET", "/v1/users/root"), again.name("GET", "/v1/users/bob"); a != "GET /v1/users/root" || b != "GET /v1/users/{id}" {
		t.Errorf("%s, %s", a, b)
	}
}

// Readers, learners and savers at once, while places are folded.
func TestConcurrentFolding(t *testing.T) {
	table := New()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 400 {
				table.ask("GET", fmt.Sprintf("/v1/%s/%s", letters(g), letters(i)))
				table.ask("GET", "/v1/tenants/"+letters(i)+"/orders")
				if i%100 == g {
					table.Save()
					table.Keep([]string{"GET /v1/tenants/" + letters(g) + "/orders"})
				}
			}
		})
	}
	wg.Wait()
	if got := table.name("GET", "/v1/tenants/acme/orders"); got != "GET /v1/tenants/{id}/orders" {
		t.Errorf("%s: %v", got, names(table))
	}
}

// FuzzLoad: any text is refused, or gives a table that keeps its bounds and is
// saved as what it loads.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("wonted routes 1\nfold /v1/users/ root\nroute 200 GET /v1/users/{id}\nend\n"), []byte("/v1/users/x"))
	f.Add([]byte("wonted routes 1\nfold /\nfold /a/\nfold /{id}/b/\nroute 1 POST /x#y/z\nroute 1 GET /*\nend"), []byte("/a/b"))
	f.Add([]byte("wonted routes 1\nfold /\nfold /a/\nfold /}/b/\nroute 1 POST /#x\nroute 1 GET /\nend"), []byte("/b"))
	f.Add([]byte("wonted routes 1\nfold /\nfold /a/\nfold /}/b/\nroute 1 POST /#\nroute 1 GET /\nend"), []byte("/b"))
	f.Fuzz(func(t *testing.T, text, path []byte) {
		table := New()
		if table.Load(text) != nil {
			return
		}
		if len(table.routes) > MaxRoutes || len(table.folds) > maxFolds {
			t.Fatal("out of bounds")
		}
		table.Learn(table.Match([]byte("GET"), path))
		saved := table.Save()
		again := New()
		if err := again.Load(saved); err != nil {
			t.Fatalf("%v: %q", err, saved)
		}
		if s := again.Save(); string(s) != string(saved) {
			t.Fatalf("%q, then %q", saved, s)
		}
	})
}
