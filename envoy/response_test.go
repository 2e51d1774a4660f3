package envoy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	xhttp2 "golang.org/x/net/http2"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about responses: what is counted as they pass,
// how they are cut, and what happens when either side goes away.

func TestRecordsAreMeteredAcrossChunks(t *testing.T) {
	// In shadow nothing is cut, so that the count is that of the whole body.
	s := set(t, envoytest.Settings{Mode: "shadow", Policy: rego(`response_budget contains {"records": 5}`)})
	f := func(script string, records float64) {
		t.Helper()
		m := mark()
		got := s.get(http1(t), "/?"+script, m)
		s.wants(got, http.StatusOK)
		report := s.report(s.logged(m).Wonted.ID)
		if report["records"] != records || report["bytes"] != float64(len(got.body)) {
			t.Errorf("%s: %v records, %v bytes reported; want %v, %d", script, report["records"], report["bytes"], records, len(got.body))
		}
	}
	f("records=137&flush=10", 137)
	f("records=50000", 50000)
	f("records=1000&declare=1", 1000)
	f("records=137&flush=1", 137)
	f("ndjson=211&flush=7", 211)
}

func TestBudgetCutsHTTP1SoThatTheClientNotices(t *testing.T) {
	testCut(t, http1(t), func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) })
}

func TestBudgetCutsHTTP2ByReset(t *testing.T) {
	testCut(t, http2(t), func(err error) bool {
		var reset xhttp2.StreamError
		return errors.As(err, &reset) && reset.Code == xhttp2.ErrCodeInternal
	})
}

// testCut pulls a response of unknown length over its budget: no record
// beyond the budget leaves Envoy, the upstream is stopped, and everyone is told.
func testCut(t *testing.T, c client, broken func(error) bool) {
	const budget, total = 100, 5000
	s := set(t, envoytest.Settings{Policy: rego(fmt.Sprintf(`response_budget contains {"records": %d} if startswith(input.request.path, "/export")`, budget))})
	m := mark()
	got := s.get(c, fmt.Sprintf("/export?records=%d&flush=20&pause=2ms", total), m)
	if got.StatusCode != http.StatusOK || !broken(got.err) {
		t.Errorf("status %d, body ended with %v", got.StatusCode, got.err)
	}
	if n := envoytest.Records(got.body); n > budget {
		t.Errorf("%d records left, the budget is %d", n, budget)
	}
	log := s.logged(m)
	if log.Details != "wonted_cut" || log.Wonted.Action != "deny" {
		t.Errorf("access log says %+v", log)
	}
	if report := s.report(log.Wonted.ID); report["action"] != "deny" || report["mode"] != "enforce" {
		t.Errorf("wonted's report is %v", report)
	}
	envoytest.Eventually(t, "the upstream is cancelled", func() error {
		if s.upstream.Gone(m) != 1 {
			return errors.New("it still answers")
		}
		return nil
	})
	within := s.get(c, fmt.Sprintf("/export?records=%d&flush=20", budget), mark())
	s.wants(within, http.StatusOK)
	if n := envoytest.Records(within.body); n != budget {
		t.Errorf("%d records of a response within its budget", n)
	}
	s.ended("truncated", 1)
	s.ended("answered", 1)
}

func TestAKnownSizeOverTheBudgetIsRefusedCleanly(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`response_budget contains {"bytes": 1000}`)})
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		m := mark()
		got := s.get(c, "/?bytes=5000&declare=1", m)
		s.wants(got, http.StatusForbidden)
		if bytes.Contains(got.body, []byte("xx")) || got.Header.Get("content-type") != "application/problem+json" {
			t.Errorf("%s: the client got %q", name, got.body)
		}
		if log := s.logged(m); log.Details != "wonted_budget" {
			t.Errorf("%s: access log says %+v", name, log)
		}
		s.wants(s.get(c, "/?bytes=1000&declare=1", mark()), http.StatusOK)
	}
	s.ended("refused", 2)
	s.ended("answered", 2)
}

func TestMessagesAsLargeAsEnvoysBuffersPass(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`response_budget contains {"bytes": 1000000000}`, `inspect contains "all" if input.request.method == "GET"`)},
		func(o *envoy.Options) { o.BufferBytes = 16 << 20 })
	const size = 64 << 20
	m := mark()
	got := s.get(http1(t), fmt.Sprintf("/?bytes=%d&declare=1", size), m)
	s.wants(answer{got.Response, nil, got.err}, http.StatusOK)
	if len(got.body) != size {
		t.Errorf("%d bytes arrived of %d", len(got.body), size)
	}
	if n := s.metric("wonted_stream_messages_total", `kind="response_body"`); n < 2 {
		t.Errorf("the body came in %v messages: the test proves nothing", n)
	}
	if n := s.metric("wonted_stream_decode_errors_total"); n != 0 {
		t.Errorf("%v messages could not be read", n)
	}
	s.idle()
}

func TestAClientThatGoesAwayLeavesNothingOpen(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`response_budget contains {"records": 1000000}`)})
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		for _, script := range []string{"wait=10s", "records=100000&flush=10&pause=5ms"} {
			m := mark()
			ctx, cancel := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.envoy.URL()+"/?"+script, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set(envoytest.MarkHeader, m)
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				if response, err := c.Do(request); err == nil {
					defer response.Body.Close()
					io.ReadFull(response.Body, make([]byte, 200))
					cancel()
				}
			}()
			envoytest.Eventually(t, "the request is upstream", func() error {
				if len(s.upstream.Seen(m)) == 0 {
					return errors.New("not yet")
				}
				return nil
			})
			if script == "wait=10s" {
				cancel()
			}
			<-gone
			cancel()
			envoytest.Eventually(t, name+" "+script+": the upstream is cancelled", func() error {
				if s.upstream.Gone(m) != 1 {
					return errors.New("it still answers")
				}
				return nil
			})
			s.idle()
		}
	}
	s.wants(s.get(http1(t), "/", mark()), http.StatusOK)
	s.ended("unknown", 4)
	s.ended("answered", 1)
}

func TestAnUpstreamThatBreaksOffIsReportedAsIs(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`response_budget contains {"records": 1000000}`)})
	c := http1(t)
	before := s.get(c, "/?abort=0", mark())
	s.wants(before, http.StatusServiceUnavailable) // Envoy's own answer
	during := s.get(c, "/?records=500&abort=200&flush=20&pause=1ms", mark())
	if during.StatusCode != http.StatusOK || !errors.Is(during.err, io.ErrUnexpectedEOF) {
		t.Errorf("status %d, body ended with %v", during.StatusCode, during.err)
	}
	if n := envoytest.Records(during.body); n == 0 || n > 200 {
		t.Errorf("%d records arrived of 200", n)
	}
	s.ended("answered", 1) // a 503 is an answer
	s.ended("unknown", 1)
	s.wants(s.get(c, "/", mark()), http.StatusOK)
}
