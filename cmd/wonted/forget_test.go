package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/scoring/profile"
)

func TestForgetOverHTTP(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	s, err := newService(cfg, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	id := func(kind profile.Kind, value string) string {
		k := s.resolver.Load().Key(kind, []byte(value))
		_, pin, _ := s.store.Acquire(k, kind, 1_700_000_000)
		pin.Release()
		return fmt.Sprintf("%016x%016x", k.Hi, k.Lo)
	}
	alice, bob, carol, route := id(profile.KindCaller, "alice"), id(profile.KindCaller, "bob"), id(profile.KindCaller, "carol"), id(profile.KindRoute, "GET /")
	h := (&web{sv: s}).admin()
	f := func(who string, header, value string, want int, text string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodDelete, "/v1/profiles/"+who, nil)
		r.Host = "127.0.0.1:8181"
		if header != "" {
			r.Header.Set(header, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%s %s: %d %s, want %d with %q", who, value, w.Code, w.Body, want, text)
		}
	}
	f(alice, "Origin", "https://evil.example", http.StatusForbidden, "")
	f(alice, "Sec-Fetch-Site", "cross-site", http.StatusForbidden, "")
	f("alice", "", "", http.StatusBadRequest, "32 hex digits")
	f(strings.Repeat("0", 32), "", "", http.StatusNotFound, `"id":""`)
	f(route, "", "", http.StatusConflict, "learned from all callers")
	if n := s.store.Stats().Total; n != 4 {
		t.Fatalf("%d profiles after refusals, want 4", n)
	}
	f(alice, "Origin", "http://127.0.0.1:8181", http.StatusOK, `"snapshot":"saved"`)
	f(alice, "", "", http.StatusNotFound, "")

	// Not while a successor has read the profiles already.
	if err := s.lend(); err != nil {
		t.Fatal(err)
	}
	f(bob, "", "", http.StatusServiceUnavailable, "nothing was forgotten")
	s.reclaim()
	f(bob, "", "", http.StatusOK, `"kind":"caller"`)

	// What cannot be saved is said, and is gone from memory all the same.
	os.RemoveAll(cfg.DataDir)
	f(carol, "", "", http.StatusInternalServerError, "still hold it")
	if n := s.store.Stats().Total; n != 1 {
		t.Errorf("%d profiles, want the route's alone", n)
	}
	text, _ := json.Marshal(forgotten{"1", "caller", "none"})
	if string(text) != `{"id":"1","kind":"caller","snapshot":"none"}` {
		t.Errorf("the JSON names are a contract: %s", text)
	}
}
