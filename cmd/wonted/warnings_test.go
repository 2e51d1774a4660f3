package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/scoring"
)

func TestAddressFromAHeaderWarns(t *testing.T) {
	f := func(source string, trusted int, want bool) {
		t.Helper()
		cfg := config.Default()
		cfg.TrustedProxies = trusted
		s, err := newService(cfg, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		defer s.store.Close()
		ex := &scoring.Exchange{Source: []byte(source), Time: time.Now()}
		s.resolver.Resolve(ex)
		if got := strings.Contains(strings.Join(s.warnings(), "\n"), "X-Forwarded-For"); got != want {
			t.Errorf("%s with %d proxies: warning %v, want %v", source, trusted, got, want)
		}
	}
	f("192.0.2.7:40000", 0, false)
	f("192.0.2.7:0", 0, true)
	f("192.0.2.7:0", 1, false)
	f("[2001:db8::1]:0", 0, true)
	f("192.0.2.7:8080", 0, false)
}
