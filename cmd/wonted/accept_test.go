package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

func TestAcceptOverHTTP(t *testing.T) {
	var log strings.Builder
	s, err := newService(config.Default(), zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	key := s.resolver.Load().Key(profile.KindCaller, []byte("alice"))
	rec, pin, _ := s.store.Acquire(key, profile.KindCaller, 1_700_000_000)
	rec.Baseline.Requests10m.Add(10, 20)
	pin.Release()
	id := hashOf(key)
	h := (&web{sv: s}).admin()
	f := func(who string, want int, text string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/v1/profiles/"+who+"/accept", nil)
		r.Host = "127.0.0.1:8181"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%s: %d %s, want %d with %q", who, w.Code, w.Body, want, text)
		}
	}
	f("alice", http.StatusBadRequest, "32 hex digits")
	f(strings.Repeat("0", 32), http.StatusConflict, "nothing is waiting")
	f(id, http.StatusConflict, "nothing is waiting")

	rec, pin, _ = s.store.Find(key)
	c := &rec.Habits().Challenger
	c.Mean[0], c.N[0], c.Days, c.Sessions, c.Last = 80, 30, 2, 4, 1_700_000_000
	shown := scoring.ChallengeOf(rec)
	pin.Release()
	if shown != (scoring.Challenge{Times: 8, Days: 2, Sessions: 4}) {
		t.Errorf("shown: %+v", shown)
	}
	if err := s.lend(); err == nil {
		f(id, http.StatusServiceUnavailable, "nothing was accepted")
		s.reclaim()
	}
	f(id, http.StatusOK, `"times":8`)
	f(id, http.StatusConflict, "nothing is waiting")
	rec, pin, _ = s.store.Find(key)
	if mean := rec.Baseline.Requests10m.Mean; mean != 80 {
		t.Errorf("the mean is %v", mean)
	}
	pin.Release()
	if !strings.Contains(log.String(), `"by":"operator"`) || !strings.Contains(log.String(), id) {
		t.Errorf("log: %s", log.String())
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Host = "127.0.0.1:8181"
	h.ServeHTTP(w, r)
	for _, line := range []string{`{by="cohort"} 0`, `{by="operator"} 1`, `{by="time"} 0`} {
		if !strings.Contains(w.Body.String(), "wonted_baselines_replaced_total"+line) {
			t.Errorf("no %s among the metrics", line)
		}
	}
	text, _ := json.Marshal(accepted{"1", "caller", 8})
	if string(text) != `{"id":"1","kind":"caller","times":8}` {
		t.Errorf("the JSON names are a contract: %s", text)
	}
	text, _ = json.Marshal(shown)
	if string(text) != `{"times":8,"days":2,"sessions":4}` {
		t.Errorf("the JSON names are a contract: %s", text)
	}
}
