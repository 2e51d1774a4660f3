package envoy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about who is under quarantine and is refused by
// wonted: callers and sessions. Addresses and networks, which Envoy refuses by
// itself, are in blocks_test.go.

// block is what the API says of a quarantine.
type block struct {
	ID     string    `json:"id"`
	Entity string    `json:"entity"`
	Until  time.Time `json:"until"`
	Author string    `json:"author"`
	Reason string    `json:"reason"`
}

// blocks are those that hold.
func (s *scene) blocks() []block {
	s.Helper()
	var list struct{ Quarantines []block }
	s.api(http.MethodGet, "/v1/quarantines", "", &list)
	return list.Quarantines
}

// api asks the admin listener.
func (s *scene) api(method, path, body string, answer any) {
	s.Helper()
	request, err := http.NewRequest(method, s.wonted.Admin+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil || response.StatusCode != http.StatusOK {
		s.Fatalf("%s %s: %s, %v", method, path, response.Status, err)
	}
}

const bySession = "identity: [{kind: session, cookie: session}, {kind: caller, header: x-api-key, name: mask}]\n"

// A policy locks a session; others go on, and so does that one once somebody has
// released it.
func TestASessionIsLockedAndReleased(t *testing.T) {
	for _, depth := range []string{"adaptive", "headers"} {
		s := set(t, envoytest.Settings{Depth: depth, More: bySession, Policy: rego(
			`quarantine contains {"entity": "session", "ttl": "10m"} if startswith(input.request.path, "/admin")`,
		)})
		c := http1(t)
		as := func(session, path string) (answer, string) {
			m := mark()
			return s.get(c, path, m, "cookie", "session="+session), m
		}
		got, _ := as("mallory", "/admin")
		s.wants(got, http.StatusOK) // nothing was said against this one
		got, m := as("mallory", "/orders")
		s.wants(got, http.StatusForbidden)
		after, err := strconv.Atoi(got.Header.Get("retry-after"))
		if err != nil || after < 1 || after > 600 {
			t.Errorf("retry-after is %q", got.Header.Get("retry-after"))
		}
		if !strings.Contains(string(got.body), "blocked for a while") || strings.Contains(string(got.body), "session") {
			t.Errorf("the client is told %s", got.body)
		}
		if n, log := len(s.upstream.Seen(m)), s.logged(m); n != 0 || log.Details != "wonted_quarantined" {
			t.Errorf("%d requests upstream, details %q", n, log.Details)
		}
		got, _ = as("alice", "/orders")
		s.wants(got, http.StatusOK)
		held := s.blocks()
		if len(held) != 1 || held[0].Entity != "session" || held[0].Author != "policy" {
			t.Fatalf("%+v", held)
		}
		if n := s.metric("wonted_quarantine_blocked_total", `entity="session"`, `mode="enforce"`); n != 1 {
			t.Errorf("%v refused", n)
		}
		s.api(http.MethodDelete, "/v1/quarantines/"+held[0].ID, "", &block{})
		got, _ = as("mallory", "/orders")
		s.wants(got, http.StatusOK)
	}
}

// A caller is blocked by an operator until a moment: what comes before it is
// refused, what comes after it passes, and nothing in between.
func TestABlockEndsExactly(t *testing.T) {
	s := set(t, envoytest.Settings{More: bySession})
	c := http1(t)
	s.wants(s.get(c, "/orders", mark(), "x-api-key", "acme-key-000001"), http.StatusOK)
	var made struct{ Quarantine block }
	s.api(http.MethodPost, "/v1/quarantines", `{"entity": "caller", "value": "acme-key-000001", "ttl": "2s", "reason": "a test"}`, &made)
	until, refused := made.Quarantine.Until, 0
	for passed := 0; passed < 20; {
		begun := time.Now()
		got := s.get(c, "/orders", mark(), "x-api-key", "acme-key-000001")
		switch ended := time.Now(); {
		case got.StatusCode == http.StatusForbidden && begun.Before(until):
			refused++
			if after := got.Header.Get("retry-after"); after != "1" && after != "2" {
				t.Errorf("retry-after is %q", after)
			}
		case got.StatusCode == http.StatusOK && !ended.Before(until):
			passed++
		default:
			t.Fatalf("answered %d, from %v to %v after the end", got.StatusCode, begun.Sub(until), ended.Sub(until))
		}
	}
	t.Logf("%d requests were refused", refused)
	if refused < 10 {
		t.Error("it was hardly blocked")
	}
	if len(s.blocks()) != 0 {
		t.Error("it is still listed")
	}
}

// Who is blocked is blocked after a kill, after a take-over, and where the block
// was imposed while one was under way.
func TestAQuarantineOutlivesWonted(t *testing.T) {
	dir := t.TempDir()
	s := set(t, envoytest.Settings{More: bySession + fmt.Sprintf("data_dir: %s\n", dir), Policy: rego(
		`quarantine contains {"entity": "caller", "ttl": "1h"} if startswith(input.request.path, "/admin")`,
	)})
	c := http1(t)
	as := func(key, path string, status int) {
		t.Helper()
		s.wants(s.get(c, path, mark(), "x-api-key", key), status)
	}
	as("mallory-key-0001", "/admin", 200)
	as("mallory-key-0001", "/orders", 403)
	s.wonted.Kill()
	s.wonted.Start(t)
	eventually(t, s, c, "mallory-key-0001", 403)
	as("eve-key-00000001", "/admin", 200)
	s.wonted.TakeOver(t)
	eventually(t, s, c, "eve-key-00000001", 403)
	as("mallory-key-0001", "/orders", 403)
	as("alice-key-000001", "/orders", 200)
	if n := len(s.blocks()); n != 2 {
		t.Errorf("%d are blocked", n)
	}
}

// eventually waits until Envoy is connected to a wonted that answers so.
func eventually(t *testing.T, s *scene, c client, key string, status int) {
	t.Helper()
	envoytest.Eventually(t, "the block is back", func() error {
		if got := s.get(c, "/orders", mark(), "x-api-key", key); got.StatusCode != status {
			return fmt.Errorf("answered %d", got.StatusCode)
		}
		return nil
	})
}
