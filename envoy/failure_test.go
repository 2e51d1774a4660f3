package envoy_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about a wonted that is gone, late or broken.

var permissive = rego(`deny contains "never" if input.request.method == "BREW"`)

// load sends requests from several clients until stopped, each under its own
// mark, and keeps what was answered.
type load struct {
	*scene
	stop    chan struct{}
	workers sync.WaitGroup
	sent    atomic.Int64 // answered so far

	mu      sync.Mutex
	answers []sample
}

type sample struct {
	mark    string
	status  int // 0: no answer
	records int // that came
	err     error
}

func (s *scene) load(path string) *load {
	l := &load{scene: s, stop: make(chan struct{})}
	for range 4 {
		c := http1(s)
		l.workers.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				one := sample{mark: mark()}
				got, err := c.do(http.MethodGet, s.envoy.URL()+path, envoytest.MarkHeader, one.mark)
				if one.err = err; err == nil {
					one.status, one.records, one.err = got.StatusCode, envoytest.Records(got.body), got.err
				}
				l.mu.Lock()
				l.answers = append(l.answers, one)
				l.mu.Unlock()
				l.sent.Add(1)
			}
		})
	}
	return l
}

// after waits until n more requests have been answered.
func (l *load) after(n int64) {
	l.Helper()
	want := l.sent.Load() + n
	envoytest.Eventually(l, fmt.Sprintf("%d more answers", n), func() error {
		if have := l.sent.Load(); have < want {
			return fmt.Errorf("%d to go", want-have)
		}
		return nil
	})
}

// end stops the load and returns what was answered.
func (l *load) end() []sample {
	close(l.stop)
	l.workers.Wait()
	return l.answers
}

func TestFailOpenNoRequestFailsWhenWontedIsKilled(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: permissive}, func(o *envoy.Options) { o.FailOpen = true })
	l := s.load("/?records=60&flush=20&pause=1ms") // so that some are met in mid-body
	l.after(100)
	s.wonted.Kill()
	l.after(200)
	s.wonted.Start(t)
	l.after(200)
	answers := l.end()
	for _, a := range answers {
		if a.status != http.StatusOK || a.err != nil || a.records != 60 || len(s.upstream.Seen(a.mark)) != 1 {
			t.Fatalf("of %d requests one was answered %d (%v) with %d records, %d upstream", len(answers), a.status, a.err, a.records, len(s.upstream.Seen(a.mark)))
		}
	}
	if failed := envoytest.Stat(t, s.envoy, "http.clients.ext_proc.wonted.failure_mode_allowed"); failed == 0 {
		t.Error("no request met the gap: the test proves nothing")
	}
	m := mark() // and wonted judges again
	s.wants(s.get(http1(t), "/", m), http.StatusOK)
	if log := s.logged(m); log.Wonted.Action != "allow" {
		t.Errorf("after the restart the access log says %+v", log)
	}
}

func TestFailClosedNothingUnjudgedReachesTheUpstreamWhenWontedIsKilled(t *testing.T) {
	// The policy marks what it has allowed: whatever arrives without its mark
	// slipped through.
	s := set(t, envoytest.Settings{Fail: "closed", Policy: rego(`request_headers contains {"name": "x-judged", "value": "yes"}`)})
	l := s.load("/?wait=2ms")
	l.after(100)
	s.wonted.Kill()
	l.after(200)
	s.wonted.Start(t)
	l.after(100)
	refused := 0
	for _, a := range l.end() {
		arrived := s.upstream.Seen(a.mark)
		for _, header := range arrived {
			if header.Get("x-judged") != "yes" {
				t.Fatal("a request that wonted had not allowed reached the upstream")
			}
		}
		switch {
		case a.status == http.StatusOK && len(arrived) == 1:
		case a.status == http.StatusInternalServerError && len(arrived) <= 1: // allowed, and refused at the response
			refused++
		default:
			t.Fatalf("answered %d (%v) with %d upstream", a.status, a.err, len(arrived))
		}
	}
	if refused == 0 {
		t.Error("no request met the gap: the test proves nothing")
	}
	m := mark()
	s.wants(s.get(http1(t), "/", m), http.StatusOK)
}

func TestFailOpenRequestsGoOnWhenWontedIsTooSlow(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: permissive}, func(o *envoy.Options) {
		o.FailOpen, o.MessageTimeout = true, 100*time.Millisecond
	})
	s.wants(s.get(http1(t), "/", mark()), http.StatusOK)
	s.wonted.Freeze(t)
	m := mark()
	s.wants(s.get(http1(t), "/", m), http.StatusOK)
	if log := s.logged(m); log.Wonted.ID != "" {
		t.Errorf("a stopped wonted gave a verdict: %+v", log)
	}
	if n := envoytest.Stat(t, s.envoy, "http.clients.ext_proc.wonted.message_timeouts"); n == 0 {
		t.Error("Envoy has counted no timeout")
	}
	s.wonted.Thaw()
	s.idle()
}

func TestFailClosedNothingPassesWhenWontedIsTooSlow(t *testing.T) {
	s := set(t, envoytest.Settings{Fail: "closed", Policy: permissive}, func(o *envoy.Options) { o.MessageTimeout = 100 * time.Millisecond })
	s.wonted.Freeze(t)
	m := mark()
	s.wants(s.get(http1(t), "/", m), http.StatusGatewayTimeout)
	if n := len(s.upstream.Seen(m)); n != 0 {
		t.Errorf("%d requests passed", n)
	}
	s.wonted.Thaw()
	s.idle()
}

// garbage compiles, and returns at run time what no contract knows.
var garbage = rego(`deny contains input.request.size if input.request.method == "GET"`)

func TestAPolicyThatReturnsGarbageFailsOpenOrClosedAsConfigured(t *testing.T) {
	f := func(fail string, status, upstream int) {
		t.Helper()
		s := set(t, envoytest.Settings{Fail: fail, Policy: garbage})
		m := mark()
		s.wants(s.get(http1(t), "/", m), status)
		if n := len(s.upstream.Seen(m)); n != upstream {
			t.Errorf("fail %s: %d requests upstream, want %d", fail, n, upstream)
		}
		if n := s.metric("wonted_policy_failures_total"); n == 0 {
			t.Errorf("fail %s: the failure was not counted", fail)
		}
		s.idle()
	}
	f("open", http.StatusOK, 1)
	f("closed", http.StatusServiceUnavailable, 0)
}

func TestAPolicyIsReloadedWhileRequestsRun(t *testing.T) {
	version := func(n int) string {
		return rego(fmt.Sprintf(`response_headers contains {"name": "x-policy", "value": "%d"}`, n))
	}
	s := set(t, envoytest.Settings{Policy: version(1)})
	served := func(want string) {
		t.Helper()
		envoytest.Eventually(t, "policy "+want+" is in force", func() error {
			if got := s.get(http1(t), "/", mark()).Header.Get("x-policy"); got != want {
				return fmt.Errorf("x-policy is %q", got)
			}
			return nil
		})
	}
	served("1")
	l := s.load("/")
	for n := 2; n <= 4; n++ {
		s.wonted.WritePolicy(t, version(n))
		served(fmt.Sprint(n))
	}
	s.wonted.WritePolicy(t, "package wonted.policy\n\ndeny contains") // does not compile
	l.after(100)
	served("4")
	s.wonted.WritePolicy(t, version(5))
	served("5")
	for _, a := range l.end() {
		if a.status != http.StatusOK || a.err != nil {
			t.Fatalf("during a reload a request was answered %d (%v)", a.status, a.err)
		}
	}
}

func TestSIGTERMLetsWhatIsInFlightEnd(t *testing.T) {
	s := set(t, envoytest.Settings{Fail: "closed", Policy: rego(`response_budget contains {"records": 1000}`)})
	m := mark()
	done := make(chan error, 1)
	c := http1(t)
	go func() {
		got, err := c.do(http.MethodGet, s.envoy.URL()+"/?records=200&flush=10&pause=50ms", envoytest.MarkHeader, m)
		switch {
		case err != nil:
		case got.err != nil:
			err = got.err
		case envoytest.Records(got.body) != 200:
			err = fmt.Errorf("answered %d with %d records of 200", got.StatusCode, envoytest.Records(got.body))
		}
		done <- err
	}()
	envoytest.Eventually(t, "the request is upstream", func() error {
		if len(s.upstream.Seen(m)) == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	s.wonted.Terminate()
	if err := <-done; err != nil {
		t.Errorf("what was in flight broke: %v", err)
	}
	if !s.wonted.Gone() {
		t.Error("wonted is still there")
	}
}

func TestARefusalBeforeWontedStaysThatRefusal(t *testing.T) {
	refuse := refuseFirst(t)
	s := setEdited(t, func(b *bootstrapv3.Bootstrap) { editManager(t, b, refuse) },
		envoytest.Settings{Policy: permissive}, func(o *envoy.Options) { o.ResponseHeaders = true })
	for range 3 { // a stream that begins with response headers is no exchange
		s.wants(s.get(http1(t), "/", mark()), http.StatusForbidden)
	}
	if n := s.metric("wonted_exchanges_total"); n != 0 {
		t.Errorf("%v exchanges were judged", n)
	}
	s.idle()
}
