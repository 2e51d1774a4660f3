package envoy_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about requests that are decided at their headers.

var decisionID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func TestAllowPassesAndLeavesItsVerdictInTheAccessLog(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`deny contains "never" if input.request.method == "BREW"`)})
	m := mark()
	got := s.get(http1(t), "/v1/orders/17", m, "x-api-key", "k")
	s.wants(got, http.StatusOK)
	if string(got.body) != "ok" || len(s.upstream.Seen(m)) != 1 {
		t.Errorf("body %q, %d requests upstream", got.body, len(s.upstream.Seen(m)))
	}
	log := s.logged(m)
	if log.Code != 200 || log.Details != "via_upstream" {
		t.Errorf("access log says %d %q", log.Code, log.Details)
	}
	if !decisionID.MatchString(log.Wonted.ID) || log.Wonted.Score == nil || log.Wonted.Action != "allow" {
		t.Errorf("access log's verdict is %+v", log.Wonted)
	}
	s.ended("answered", 1)
}

func TestWontedIsReachedOverTCPAsWell(t *testing.T) {
	s := set(t, envoytest.Settings{Listen: envoytest.FreeAddress(t), Policy: rego(`deny contains "all" if input.request.method == "GET"`)})
	s.wants(s.get(http1(t), "/", mark()), http.StatusForbidden)
}

func TestDenyAnswersAProblemWithTheDecisionID(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`deny contains "the rule's secret words" if startswith(input.request.path, "/private")`)})
	c, m := http1(t), mark()
	got := s.get(c, "/private/report", m)
	s.wants(got, http.StatusForbidden)
	if n := len(s.upstream.Seen(m)); n != 0 {
		t.Errorf("%d requests reached the upstream", n)
	}
	if kind := got.Header.Get("content-type"); kind != "application/problem+json" {
		t.Errorf("content-type is %q", kind)
	}
	var problem struct {
		Status     int
		Title      string
		DecisionID string `json:"decision_id"`
	}
	if err := json.Unmarshal(got.body, &problem); err != nil || problem.Status != 403 || problem.Title == "" {
		t.Errorf("%s: %v", got.body, err)
	}
	if strings.Contains(string(got.body), "secret") {
		t.Errorf("the rule's text reached the client: %s", got.body)
	}
	log := s.logged(m)
	if log.Details != "wonted_deny" || log.Wonted.ID != problem.DecisionID || !decisionID.MatchString(problem.DecisionID) {
		t.Errorf("client was told decision %q, access log says %+v", problem.DecisionID, log)
	}
	if report := s.report(problem.DecisionID); report["action"] != "deny" || report["reason"] != "the rule's secret words" {
		t.Errorf("wonted's report is %v", report)
	}
	s.wants(s.get(c, "/public", mark()), http.StatusOK) // on the same connection
	s.ended("refused", 1)
	s.ended("answered", 1)
}

func TestChallengeAnswers401WithWWWAuthenticate(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`challenge contains {"reason": "who are you", "realm": "orders"} if input.request.method == "GET"`)})
	m := mark()
	got := s.get(http1(t), "/", m)
	s.wants(got, http.StatusUnauthorized)
	if c := got.Header.Get("www-authenticate"); !strings.Contains(c, `realm="orders"`) {
		t.Errorf("www-authenticate is %q", c)
	}
	if n, log := len(s.upstream.Seen(m)), s.logged(m); n != 0 || log.Details != "wonted_challenge" {
		t.Errorf("%d requests upstream, details %q", n, log.Details)
	}
}

func TestThrottleAnswers429WithRetryAfter(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`throttle contains {"reason": "slowly", "retry_after": 7} if input.request.method == "GET"`)})
	m := mark()
	got := s.get(http2(t), "/", m)
	s.wants(got, http.StatusTooManyRequests)
	if after := got.Header.Get("retry-after"); after != "7" {
		t.Errorf("retry-after is %q", after)
	}
	if n, log := len(s.upstream.Seen(m)), s.logged(m); n != 0 || log.Details != "wonted_throttle" {
		t.Errorf("%d requests upstream, details %q", n, log.Details)
	}
}

// Whichever of two keys the upstream believes, the profiles know neither: a
// stolen key must not hide behind a junk one. This is the default policy's.
func TestAStolenKeyBesideJunkIsRefused(t *testing.T) {
	s := set(t, envoytest.Settings{})
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		f := func(status int, headers ...string) {
			t.Helper()
			m := mark()
			got := s.get(c, "/v1/orders/17", m, headers...)
			s.wants(got, status)
			seen := len(s.upstream.Seen(m))
			if status == http.StatusOK {
				if seen != 1 {
					t.Errorf("%s: %q reached the upstream %d times", name, headers, seen)
				}
				return
			}
			if seen != 0 || !strings.Contains(string(got.body), `"reason":"malformed"`) {
				t.Errorf("%s: %q reached the upstream %d times; the answer is %s", name, headers, seen, got.body)
			}
			if log := s.logged(m); log.Details != "wonted_deny" {
				t.Errorf("%s: details %q", name, log.Details)
			}
		}
		f(http.StatusBadRequest, "x-api-key", "stolen", "x-api-key", "junk")
		f(http.StatusBadRequest, "x-api-key", "junk", "x-api-key", "stolen")
		f(http.StatusBadRequest, "x-api-key", "stolen", "accept", "*/*", "X-Api-Key", "junk")
		f(http.StatusBadRequest, "authorization", "Bearer stolen", "authorization", "Bearer junk")
		f(http.StatusOK, "x-api-key", "k", "x-api-key", "k")
		f(http.StatusOK, "x-api-key", "k", "authorization", "Bearer t")
		f(http.StatusOK, "cookie", "session=a; session=b") // as a browser may
	}
}

func TestHeadersAreSetAddedAndRemoved(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(
		`request_headers contains {"name": "x-risk", "value": "low"}`,
		`request_headers contains {"name": "x-added", "value": "new"}`,
		`remove_request_headers contains "x-unwanted"`,
		`response_headers contains {"name": "x-served-by", "value": "wonted"}`,
		`remove_response_headers contains "x-internal"`,
	)})
	m := mark()
	got := s.get(http1(t), "/?header=x-internal:secret&header=x-served-by:upstream", m, "x-unwanted", "1", "x-kept", "2")
	s.wants(got, http.StatusOK)
	sent := s.upstream.Seen(m)[0]
	for name, want := range map[string]string{"X-Risk": "low", "X-Added": "new", "X-Kept": "2", "X-Unwanted": ""} {
		if strings.Join(sent[name], "|") != want {
			t.Errorf("upstream saw %s %q, want %q", name, sent[name], want)
		}
	}
	for name, want := range map[string]string{"X-Served-By": "wonted", "X-Internal": ""} {
		if strings.Join(got.Header[name], "|") != want {
			t.Errorf("client saw %s %q, want %q", name, got.Header[name], want)
		}
	}
}

func TestAClientsCopyOfOurHeaderIsReplaced(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`request_headers contains {"name": "x-risk", "value": "high"}`)})
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		m := mark()
		s.wants(s.get(c, "/", m, "x-risk", "none", "x-risk", "trust me"), http.StatusOK)
		if got := s.upstream.Seen(m)[0]["X-Risk"]; len(got) != 1 || got[0] != "high" {
			t.Errorf("%s: upstream saw x-risk %q", name, got)
		}
	}
}

func TestShadowChangesNothingAndIsCountedApart(t *testing.T) {
	policy := rego(`deny contains "all of it" if input.request.method == "GET"`,
		`response_headers contains {"name": "x-served-by", "value": "wonted"}`,
		`request_headers contains {"name": "x-risk", "value": "high"}`,
		`response_budget contains {"records": 1}`)
	s := set(t, envoytest.Settings{Mode: "shadow", Policy: policy})
	m := mark()
	got := s.get(http1(t), "/?records=500&flush=50", m, "x-risk", "client's own")
	s.wants(got, http.StatusOK)
	if n := envoytest.Records(got.body); n != 500 || !json.Valid(got.body) {
		t.Errorf("the client got %d records of 500", n)
	}
	if h := got.Header.Get("x-served-by"); h != "" {
		t.Errorf("the client got x-served-by %q", h)
	}
	if risk := s.upstream.Seen(m)[0]["X-Risk"]; len(risk) != 1 || risk[0] != "client's own" {
		t.Errorf("the upstream got x-risk %q", risk)
	}
	log := s.logged(m)
	if log.Details != "via_upstream" || log.Wonted.Mode != "shadow" || log.Wonted.Action != "deny" {
		t.Errorf("access log says %+v", log)
	}
	if report := s.report(log.Wonted.ID); report["action"] != "deny" || report["mode"] != "shadow" || report["status"] != 200.0 {
		t.Errorf("wonted's report is %v", report)
	}
	if n := s.metric("wonted_decisions_total", `action="deny"`, `mode="shadow"`); n != 1 {
		t.Errorf("%v shadow denials counted, want 1", n)
	}
	if n := s.metric("wonted_decisions_total", `mode="enforce"`); n != 0 {
		t.Errorf("%v enforced decisions counted, want none", n)
	}
}
