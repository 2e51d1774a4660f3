package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/cmd/wonted/internal/openapi"
)

func TestAdminAnswersLoopbackNamesOnly(t *testing.T) {
	s, err := newService(config.Default(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	h := (&web{sv: s}).admin()
	f := func(host string, want int) {
		t.Helper()
		r := httptest.NewRequest("GET", "/healthz", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", host, w.Code, want)
		}
	}
	f("127.0.0.1:8181", http.StatusOK)
	f("localhost:8181", http.StatusOK)
	f("localhost", http.StatusOK)
	f("[::1]:8181", http.StatusOK)
	f("[::1]", http.StatusOK)
	f("rebound.example:8181", http.StatusForbidden)
	f("127.0.0.1.example", http.StatusForbidden)
	f("192.0.2.1:8181", http.StatusForbidden)
	f("", http.StatusForbidden)
}

func TestTheMetricsListenerChangesNothing(t *testing.T) {
	routes := (&web{sv: &service{reg: prometheus.NewRegistry()}}).metrics().Routes()
	if len(routes) < 3 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, r := range routes {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

func TestEveryRouteThatChangesNeedsTheRole(t *testing.T) {
	s, err := newService(config.Default(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	routes := (&web{sv: s}).routes().Routes()
	writes := 0
	for _, r := range routes {
		if (r.Method != http.MethodGet) != (r.Role == admin.Write) {
			t.Errorf("%s %s has the role %s", r.Method, r.Path, r.Role)
		}
		if r.Role == admin.Open && r.Path != "/healthz" && r.Path != "/readyz" {
			t.Errorf("%s is open to everybody", r.Path)
		}
		if r.Role == admin.Write {
			writes++
		}
	}
	if writes < 2 {
		t.Errorf("only %d routes change something", writes)
	}
}

// Whatever a route that changes something does, it is in the audit trail, and
// none of what a client writes into its path is.
func TestEveryChangeIsAudited(t *testing.T) {
	s, err := newService(config.Default(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	api := (&web{sv: s}).routes()
	wildcard := regexp.MustCompile(`\{[^}]*\}`)
	for _, r := range api.Routes() {
		if r.Role != admin.Write {
			continue
		}
		before := len(s.trail.Last(1000))
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(r.Method, wildcard.ReplaceAllString(r.Path, "sk_live_secret"), strings.NewReader("{}")))
		all := s.trail.Last(1000)
		if len(all) != before+1 || all[0].Method != r.Method || all[0].Status != w.Code {
			t.Errorf("%s %s answered %d: %d entries more, %+v", r.Method, r.Path, w.Code, len(all)-before, all[:min(1, len(all))])
			continue
		}
		if text := fmt.Sprint(all[0]); strings.Contains(text, "sk_live") {
			t.Errorf("%s %s: %s", r.Method, r.Path, text)
		}
	}
}

// An operator who may change something releases somebody even where nothing can
// be written any more; anything else waits.
func TestAFullDiskReleasesAllTheSame(t *testing.T) {
	s, err := newService(config.Default(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	full := true
	s.trail = admin.NewTrail(fullDisk{&full}, func(admin.Entry) {})
	place, err := s.blocks.Place("address", "203.0.113.7")
	if err != nil {
		t.Fatal(err)
	}
	place.Reason = "by mistake"
	b, _, err := s.blocks.Add(place, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	api := (&web{sv: s}).routes()
	f := func(method, path, body string, want int) {
		t.Helper()
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		if w.Code != want {
			t.Errorf("%s %s: %d, want %d: %s", method, path, w.Code, want, w.Body)
		}
	}
	f("POST", "/v1/quarantines", `{"entity":"address","value":"203.0.113.8","reason":"why"}`, http.StatusInsufficientStorage)
	f("GET", "/v1/quarantines/preview?entity=address&value=203.0.113.8&ttl=1h", "", http.StatusOK)
	if told := s.trail.Last(10); len(told) != 0 {
		t.Errorf("to look at what a block would hit is no change: %+v", told)
	}
	f("DELETE", "/v1/quarantines/"+b.ID, "", http.StatusOK)
	f("POST", "/v1/rules/none/restore", "", http.StatusNotFound)
	if left := s.blocks.List(time.Now()); len(left) != 0 {
		t.Errorf("still blocked: %+v", left)
	}
	if got := strings.Join(s.warnings(), "\n"); !strings.Contains(got, "the audit trail cannot be written") {
		t.Errorf("not told: %s", got)
	}
	for _, full = range []bool{true, false} {
		s.retryTrail()
		if got := strings.Join(s.warnings(), "\n"); strings.Contains(got, "audit") != full {
			t.Errorf("full %v: %s", full, got)
		}
	}
}

// fullDisk is one while it is.
type fullDisk struct{ full *bool }

func (d fullDisk) Write(b []byte) (int, error) { return len(b), d.Sync() }

func (d fullDisk) Sync() error {
	if *d.full {
		return syscall.ENOSPC
	}
	return nil
}

// The description is made of the table, and is one that others can read.
func TestTheAPIIsDescribed(t *testing.T) {
	s, err := newService(config.Default(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	api := (&web{sv: s}).routes()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/v1/openapi.json", nil))
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, w.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	described, err := openapi.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if routes := api.Routes(); len(described) != len(routes) {
		t.Errorf("%d routes are described of %d: %v", len(described), len(routes), described)
	}
}

// Names of what programs read of the status are a contract.
func TestStatus(t *testing.T) {
	s, err := newService(config.Default(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	w := httptest.NewRecorder()
	(&web{sv: s}).routes().ServeHTTP(w, httptest.NewRequest("GET", "/v1/status", nil))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	budget, _ := got["budget"].(map[string]any)
	policy, _ := got["policy"].(map[string]any)
	warnings, _ := got["warnings"].([]any)
	if got["mode"] != "shadow" || got["fail"] != "open" || got["learning"] != true || policy["revision"] != s.revision || policy["source"] != "default" ||
		budget["target"] != 1.0 || budget["realised"] != 0.0 || budget["threshold"].(map[string]any)["mature"] != 4.0 || len(warnings) == 0 {
		t.Errorf("%s", w.Body)
	}
	for _, name := range []string{"depth", "since", "build", "open_exchanges", "profiles"} {
		if got[name] == nil {
			t.Errorf("%s is missing in %s", name, w.Body)
		}
	}
	var text strings.Builder
	is := s.status()
	if err := writeStatus(&text, &is); err != nil || !strings.Contains(text.String(), "mode ") || !strings.Contains(text.String(), "shadow; fail open") {
		t.Errorf("%s, %v", &text, err)
	}
	if got := redacted("https://user:secret@bundles.example.com/b.tar.gz"); strings.Contains(got, "secret") {
		t.Errorf("%s", got)
	}
}
