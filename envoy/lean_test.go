package envoy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// line is what a recording says of an exchange.
type line struct {
	Path     string
	Status   int
	Request  int64   `json:"request_bytes"`
	Response int64   `json:"response_bytes"`
	Took     float64 `json:"duration_ms"`
	End      string
	JA4      string
	JWT      map[string]any
}

// recorded are the lines about a mark, once there are so many.
func (s *scene) recorded(path, mark string, want int) (found []line) {
	s.Helper()
	envoytest.Eventually(s, "it is recorded", func() error {
		found = nil
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var l line
			if err := json.Unmarshal(lines.Bytes(), &l); err == nil && strings.Contains(l.Path, "mark="+mark) {
				found = append(found, l)
			}
		}
		if len(found) < want {
			return fmt.Errorf("%d lines of %d", len(found), want)
		}
		return nil
	})
	return found
}

// One message about each request, and how it ended from the access log alone:
// status, sizes and time, for answers of the upstream, of Envoy and of wonted.
func TestLeanKnowsHowItEndedFromTheLog(t *testing.T) {
	tape := filepath.Join(t.TempDir(), "r.jsonl")
	s := set(t, envoytest.Settings{
		Depth: "lean", Fail: "closed", More: "record: {path: " + tape + "}\n",
		Policy: rego(
			`deny contains "closed" if startswith(input.request.path, "/denied")`,
			`response_budget contains {"records": 1}`, // cannot be kept at this depth
		),
	})
	const big = 3 << 20
	requests := 0
	f := func(method, path string, status int, bytes int64, end string) {
		t.Helper()
		for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
			m, name := mark(), name+" "+method+" "+path
			n := s.messages(func() {
				got, err := c.do(method, s.envoy.URL()+path+"&mark="+m, "x-api-key", "key-"+m)
				if err != nil || got.err != nil || got.StatusCode != status {
					t.Errorf("%s: answered %v (%v, %v), want %d", name, got.Response, err, got.err, status)
				}
			})
			requests++
			if n != 1 {
				t.Errorf("%s: %d messages", name, n)
			}
			got := s.recorded(tape, m, 1)
			if len(got) != 1 || got[0].Status != status || got[0].Response != bytes || got[0].End != end || got[0].Took <= 0 {
				t.Errorf("%s: recorded as %+v, want %d, %d bytes, end %q", name, got, status, bytes, end)
			}
		}
	}
	f(http.MethodGet, item, http.StatusOK, size(t, item), "")
	f(http.MethodGet, fmt.Sprintf("/?bytes=%d", big), http.StatusOK, big, "")
	f(http.MethodGet, list, http.StatusOK, size(t, list), "")
	f(http.MethodHead, item, http.StatusOK, 0, "")
	f(http.MethodGet, "/?status=204", http.StatusNoContent, 0, "")
	f(http.MethodGet, "/?status=304", http.StatusNotModified, 0, "")
	f(http.MethodGet, "/?status=404&records=1&declare=1", http.StatusNotFound, size(t, item), "")
	f(http.MethodGet, "/?status=500&records=1&declare=1", http.StatusInternalServerError, size(t, item), "")
	if n := int(s.metric("wonted_exchanges_total")); n != requests {
		t.Errorf("%d exchanges were judged, %d requests sent", n, requests)
	}
	s.judged("a denial of wonted's own", takenBack, func(key string) {
		s.wants(s.get(http1(t), "/denied", mark(), "x-api-key", key), http.StatusForbidden)
	}, refused)
	s.undisturbed()

	// What Envoy cannot read never comes to wonted, and is no request that
	// slipped past it.
	s.judged("headers too large", left{}, func(key string) {
		got := s.get(http1(t), "/", mark(), "x-api-key", key, "x-long", strings.Repeat("k", 70_000))
		s.wants(got, http.StatusRequestHeaderFieldsTooLarge)
		envoytest.Eventually(t, "its entry", func() error {
			if n := s.metric("wonted_access_log_entries_total", `result="local_reply"`); n != 1 {
				return fmt.Errorf("%v entries of local replies", n)
			}
			return nil
		})
	})
	s.undisturbed()
}

// gated is an upstream that says when a request has come, and answers when it
// is told to.
type gated struct{ there, on chan struct{} }

func (g gated) ServeHTTP(http.ResponseWriter, *http.Request) {
	g.there <- struct{}{}
	<-g.on
}

// Killed and started again: what began before is told of by nobody who knew,
// what comes afterwards is judged as ever.
func TestAKilledWontedLosesTheEndsAndNoMore(t *testing.T) {
	for _, depth := range []envoy.Depth{envoy.DepthAdaptive, envoy.DepthLean} {
		g := gated{make(chan struct{}), make(chan struct{})}
		s := set(t, envoytest.Settings{Depth: string(depth), Policy: permissive}, failOpen, func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, g) })
		ask := func(key string) <-chan error {
			done := make(chan error, 1)
			go func() {
				got, err := http1(t).do(http.MethodGet, s.envoy.URL()+"/", "x-api-key", key)
				if err == nil && (got.err != nil || got.StatusCode != http.StatusOK) {
					err = fmt.Errorf("answered %d (%v)", got.StatusCode, got.err)
				}
				done <- err
			}()
			<-g.there
			return done
		}
		under := ask("under way")
		s.wonted.Kill()
		meanwhile := ask("meanwhile") // judged by nobody
		g.on <- struct{}{}
		g.on <- struct{}{}
		for _, done := range []<-chan error{under, meanwhile} {
			if err := <-done; err != nil {
				t.Errorf("%s: %v", depth, err)
			}
		}
		s.wonted.Start(t)
		s.judged(string(depth)+", afterwards", learned, func(key string) {
			done := ask(key)
			g.on <- struct{}{}
			if err := <-done; err != nil {
				t.Errorf("%s: %v", depth, err)
			}
		}, answered)
	}
}

// A request that passes because wonted answers too late is one that nobody has
// judged, and is told of by the log.
func TestWhatPassesUnjudgedIsCounted(t *testing.T) {
	for _, depth := range []envoy.Depth{envoy.DepthAdaptive, envoy.DepthLean} {
		s := set(t, envoytest.Settings{Depth: string(depth), Policy: permissive}, failOpen,
			func(o *envoy.Options) { o.MessageTimeout = 100 * time.Millisecond })
		s.warm()
		s.wonted.Freeze(t)
		for range 3 {
			s.reads("key", "/", http.StatusOK)
		}
		s.wonted.Thaw()
		passed := envoytest.Stat(t, s.envoy, "http.clients.ext_proc.wonted.failure_mode_allowed")
		if passed < 3 {
			t.Errorf("%s: Envoy has let %d requests pass, of 3", depth, passed)
		}
		envoytest.Eventually(t, "they are counted", func() error {
			if n := s.metric("wonted_unprotected_exchanges_total"); int(n) != passed {
				return fmt.Errorf("%v of %d", n, passed)
			}
			return nil
		})
		if n := s.metric("wonted_unprotected_exchanges"); int(n) != passed {
			t.Errorf("%s: the gauge says %v of %d", depth, n, passed)
		}
		s.idle()
	}
}
