package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
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
