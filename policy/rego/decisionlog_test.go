package rego

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/plugins/logs"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// kept collects what is written.
type kept struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(p)
}

func (k *kept) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.String()
}

// decisionsOf is a log of a test, and what ends it.
func decisionsOf(t *testing.T, cfg DecisionLogConfig) (l *DecisionLog, end func()) {
	t.Helper()
	cfg.Log, cfg.Name = zerolog.Nop(), "test"
	if cfg.Rate == 0 {
		cfg.Rate = 1e6
	}
	if cfg.Mask == nil {
		cfg.Mask = func(map[string]any) []string { return nil }
	}
	if cfg.Trouble == nil {
		cfg.Trouble = func(string) {}
	}
	l, err := OpenDecisionLog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(ctx)
	}()
	end = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(end)
	return l, end
}

func told(ex *scoring.Exchange, e *Engine) (*policy.Input, *policy.Decided) {
	d := &policy.Decision{Action: policy.Deny, Status: 403, Reason: "no"}
	return at(ex, policy.PhaseRequest), &policy.Decided{ID: ex.ID, Decider: e, Decision: d, Class: "denied", At: ex.Time, Rules: []string{"r1"}}
}

// The file holds what consumers of OPA's decision logs read.
func TestDecisionLogLines(t *testing.T) {
	s := serveBundle(t, pack(t, "v1", fileMap{"/policy.rego": denyAll}))
	e := opened(t, sourceOf(s.url())).Engine()
	var out kept
	l, end := decisionsOf(t, DecisionLogConfig{Lines: &out, Mask: func(doc map[string]any) []string {
		doc["input"].(map[string]any)["request"].(map[string]any)["host"] = "~"
		return []string{"/input/request/host"}
	}})
	ex := sample()
	want, err := Document(at(ex, policy.PhaseRequest))
	if err != nil {
		t.Fatal(err)
	}
	l.Decided(told(ex, e))
	end()
	text := out.String()
	if strings.Count(text, "\n") != 1 {
		t.Fatalf("not one line: %q", text)
	}
	var got logs.EventV1
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.DecisionID != ex.ID.String() || got.Path != "wonted/policy" || !got.Timestamp.Equal(ex.Time) || got.Revision != e.Revision() ||
		got.Bundles["policy"].Revision != "v1" || got.Labels["app"] != "wonted" || got.Labels["id"] != "test" {
		t.Errorf("got %s", text)
	}
	result := (*got.Result).(map[string]any)
	if result["action"] != "deny" || result["reason"] != "no" || got.Custom["mode"] != "enforce" && got.Custom["mode"] != "shadow" {
		t.Errorf("result %v, custom %v", result, got.Custom)
	}
	if d := cmp.Diff([]any{"/input/request/host"}, got.Custom["masked"]); d != "" {
		t.Error(d)
	}
	input := (*got.Input).(map[string]any)
	want["request"].(map[string]any)["host"] = "~"
	plain, err := plainJSON(want)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(plain, any(input)); d != "" {
		t.Errorf("the input is not what a policy sees: %s", d)
	}
	if st := l.Stats(); st.Logged != 1 || st.Dropped+st.Failures > 0 {
		t.Errorf("%+v", st)
	}
}

// A service gets them as OPA sends them, with the token; while it fails nothing
// is lost, and what is waiting when all ends is sent.
func TestDecisionLogUpload(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var events []logs.EventV1
	broken := true
	refused := make(chan bool, 100)
	s := serveBundle(t, nil)
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if broken {
			w.WriteHeader(http.StatusServiceUnavailable)
			refused <- true
			return
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		text, _ := io.ReadAll(z)
		var some []logs.EventV1
		if err := json.Unmarshal(text, &some); err != nil {
			t.Error(err)
		}
		events = append(events, some...)
	})
	troubles := make(chan string, 100)
	l, end := decisionsOf(t, DecisionLogConfig{
		Server: Server{URL: s.url(), Token: token, Timeout: 20 * time.Second}, Every: time.Second,
		Trouble: func(text string) { troubles <- text },
	})
	e := must(t, "deny contains \"all\"")
	l.Decided(told(sample(), e))
	<-refused
	if text := <-troubles; !strings.Contains(text, "503") && !strings.Contains(text, "Unavailable") {
		t.Errorf("what is told of it: %q", text)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if text := <-troubles; text != "" {
		t.Errorf("when it works again: %q", text)
	}
	l.Decided(told(sample(), e))
	end()
	mu.Lock()
	defer mu.Unlock()
	if len(events) != 2 || events[0].DecisionID != sample().ID.String() {
		t.Errorf("%d decisions arrived: %+v", len(events), events)
	}
	if _, h := s.last(); h.Get("Authorization") != "Bearer s3cret" {
		t.Errorf("authorization %q", h.Get("Authorization"))
	}
	if st := l.Stats(); st.Failures == 0 || st.Dropped > 0 {
		t.Errorf("%+v", st)
	}
}

// What comes too fast, and what a slow disk would hold up, is dropped and
// counted; nobody waits.
func TestDecisionLogDrops(t *testing.T) {
	stuck, release := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(stuck) })
	l, end := decisionsOf(t, DecisionLogConfig{Lines: writer(func(p []byte) (int, error) {
		once()
		<-release
		return len(p), nil
	})})
	e := must(t, "deny contains \"all\"")
	l.Decided(told(sample(), e))
	<-stuck
	const n = decisionsWaiting + 100
	for range n {
		l.Decided(told(sample(), e))
	}
	if st := l.Stats(); st.Dropped != n-decisionsWaiting {
		t.Errorf("%d dropped, want %d", st.Dropped, n-decisionsWaiting)
	}
	close(release)
	end()
	if st := l.Stats(); st.Logged != decisionsWaiting+1 || st.Failures > 0 || l.waiting.Load() != 0 {
		t.Errorf("%+v, %d bytes waiting", st, l.waiting.Load())
	}

	var out kept
	l, end = decisionsOf(t, DecisionLogConfig{Lines: &out, Rate: 5})
	for range 20 {
		l.Decided(told(sample(), e))
	}
	end()
	if st := l.Stats(); st.Logged != 5 || st.Dropped != 15 {
		t.Errorf("at 5 a second: %+v", st)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// The share of plain exchanges is one of ids, so that replicas agree.
func TestDecisionLogShare(t *testing.T) {
	var out kept
	for share, most := range map[float64]int{0: 0, 0.25: 3000, 1: 10000} {
		l, _ := decisionsOf(t, DecisionLogConfig{Lines: &out, Plain: share})
		n := 0
		for i := range 10000 {
			var id scoring.ID
			h := uint32(i) * 2654435761
			copy(id[len(id)-4:], []byte{byte(h), byte(h >> 8), byte(h >> 16), byte(h >> 24)})
			if l.Plain(id) {
				n++
			}
		}
		if n > most || n < most*2/3 {
			t.Errorf("a share of %v: %d of 10000", share, n)
		}
	}
}

func BenchmarkDecided(b *testing.B) {
	l, err := OpenDecisionLog(DecisionLogConfig{Lines: io.Discard, Rate: 1e9, Log: zerolog.Nop(), Name: "b", Mask: func(map[string]any) []string { return nil }})
	if err != nil {
		b.Fatal(err)
	}
	e := must(b, "deny contains \"all\"")
	ex := sample()
	b.Run("request path", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Decided(told(ex, e))
			b.StopTimer()
			got := <-l.queue
			l.waiting.Add(-got.size)
			b.StartTimer()
		}
	})
	b.Run("beside", func(b *testing.B) {
		b.ReportAllocs()
		l.Decided(told(ex, e))
		got := <-l.queue
		for b.Loop() {
			l.write(got)
		}
	})
}
