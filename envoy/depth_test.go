package envoy_test

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about what wonted asks Envoy for at depth adaptive.

// messages counts those that Envoy sends to wonted's filter during what is done.
func (s *scene) messages(what func()) int {
	s.Helper()
	const name = "http.clients.ext_proc.wonted.stream_msgs_sent"
	before := envoytest.Stat(s, s.envoy, name)
	what()
	return envoytest.Stat(s, s.envoy, name) - before
}

// reads sends a caller's GET and wants this answer.
func (s *scene) reads(key, path string, status int) answer {
	s.Helper()
	got := s.get(http1(s), path, mark(), "x-api-key", key)
	if got.StatusCode != status {
		s.Errorf("%s %s: answered %d (%v), want %d", key, path, got.StatusCode, got.err, status)
	}
	return got
}

// warm has one request come and end: from then on wonted knows that the access
// log brings its ids back, and may leave the ends of exchanges to it.
func (s *scene) warm() {
	s.Helper()
	s.reads("somebody", "/", http.StatusOK)
	envoytest.Eventually(s, "the access log has told of it", func() error {
		if n := s.metric("wonted_access_log_entries_total", `result="known"`) + s.metric("wonted_access_log_entries_total", `result="closed"`); n == 0 {
			return fmt.Errorf("%v entries", n)
		}
		return nil
	})
}

func TestAdaptiveLooksAtTheResponsesThatMatter(t *testing.T) {
	f := func(name, policy, key, path string, asked bool) {
		t.Helper()
		s := set(t, envoytest.Settings{Policy: policy, More: known(t)})
		s.warm()
		const each = 3
		n := s.messages(func() {
			for range each {
				s.reads(key, path, http.StatusOK)
			}
		})
		if asked && n < 2*each || !asked && n != each {
			t.Errorf("%s: %d messages about %d requests; was it asked for more than the request: want %v", name, n, each, asked)
		}
		s.ended(answered, each+1)
		if p, _ := s.wonted.Profile(t, key); p.Accepted < each {
			t.Errorf("%s: the profile holds %+v", name, p)
		}
		if n := s.metric("wonted_misconfiguration"); n != 0 {
			t.Errorf("%s: %v misconfigurations are seen", name, n)
		}
		s.undisturbed()
	}
	f("one who is known, one record", "", regular(0), item, false)
	f("one who is known, a list", "", regular(0), list, true)
	f("somebody new", "", "new", item, true)
	f("a budget of the policy's own", rego(`response_budget contains {"records": 1000}`), regular(0), item, true)
	f("a policy that reads responses", rego(`deny contains "teapot" if input.response.status == 418`), regular(0), item, true)
	f("a policy that does not", rego(`deny contains "never" if input.request.method == "BREW"`), regular(0), item, false)
}

var limit = regexp.MustCompile(`at most ([0-9,]+) usual for this caller`)

func TestADumpIsCutAtAdaptiveAsAtHeaders(t *testing.T) {
	cut := func(depth envoy.Depth) (bound float64) {
		s := set(t, envoytest.Settings{Depth: string(depth), More: known(t)})
		if depth == envoy.DepthAdaptive {
			s.warm()
		}
		for range 5 { // one record after the other, as ever
			s.reads(regular(0), item, http.StatusOK)
		}
		m := mark()
		// In pieces, so that the first has left before there is too much: Envoy
		// holds back the headers of a response whose first piece is waited for.
		got := s.get(http1(t), "/v1/orders?records=10000&flush=50&pause=2ms", m, "x-api-key", regular(0))
		if n := envoytest.Records(got.body); got.StatusCode != http.StatusOK || got.err == nil || n >= 1000 {
			t.Errorf("%s: answered %d with %d records, ended with %v", depth, got.StatusCode, n, got.err)
		}
		m = mark() // of a size that is declared nothing leaves
		s.wants(s.get(http1(t), "/v1/orders?records=10000&declare=1", m, "x-api-key", regular(1)), http.StatusForbidden)
		report := fmt.Sprint(s.report(s.logged(m).Wonted.ID))
		found := limit.FindStringSubmatch(report)
		if found == nil {
			t.Fatalf("%s: the report names no bound: %v", depth, report)
		}
		bound, _ = strconv.ParseFloat(strings.ReplaceAll(found[1], ",", ""), 64)
		s.idle()
		return bound
	}
	// Habits fade by the second, and the two were asked at different ones.
	if adaptive, headers := cut(envoy.DepthAdaptive), cut(envoy.DepthHeaders); math.Abs(adaptive-headers) > headers/20 {
		t.Errorf("at adaptive the bound is %v, at headers %v", adaptive, headers)
	}
}
