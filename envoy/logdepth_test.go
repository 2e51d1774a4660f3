package envoy_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about depth log, at which Envoy has no filter of
// wonted's: what is known comes from the access log, when all is over.

func TestADumpShowsWithoutAFilter(t *testing.T) {
	s := set(t, envoytest.Settings{Depth: "log", More: known(t)}) // which enforces, and cannot
	sent := 0
	reads := func(key, path string) answer {
		t.Helper()
		sent++
		got := s.get(http1(t), path, mark(), "x-api-key", key)
		s.wants(got, http.StatusOK)
		return got
	}
	for n := range regulars {
		reads(regular(n), item)
	}
	s.settled(sent)
	if n := s.metric("wonted_anomalous_total"); n != 0 {
		t.Errorf("%v of what is ordinary were anomalous", n)
	}
	dump := reads(regular(0), "/v1/orders?records=30000")
	if n := envoytest.Records(dump.body); n != 30000 {
		t.Errorf("%d records came: something stands in the way", n)
	}
	s.settled(sent)
	if n := s.metric("wonted_anomalous_total"); n != 1 {
		t.Errorf("%v exchanges were anomalous, want the dump", n)
	}
	var actions float64
	for _, action := range []string{"throttle", "challenge", "deny"} {
		actions += s.metric("wonted_decisions_total", `mode="shadow"`, `action="`+action+`"`)
		if n := s.metric("wonted_decisions_total", `mode="enforce"`, `action="`+action+`"`); n != 0 {
			t.Errorf("%v times %s is said to have been done", n, action)
		}
	}
	if actions != 1 {
		t.Errorf("%v verdicts were recorded, want one", actions)
	}
	if n := int(s.metric("wonted_exchanges_total")); n != sent {
		t.Errorf("%d exchanges were judged, %d requests sent", n, sent)
	}
	s.undisturbed()
}

// Who is calling comes with the entry: verified claims, the device, and what
// headers are named.
func TestAnEntryOfTheLogNamesTheCaller(t *testing.T) {
	ca, login := newAuthority(t), newIssuer(t)
	server, tape := ca.server(t), filepath.Join(t.TempDir(), "r.jsonl")
	s := set(t, envoytest.Settings{
		Depth: "log", More: "record: {path: " + tape + "}\n",
		Policy: rego(`deny contains "not for tenants" if input.request.headers["x-tenant"]`),
	}, func(o *envoy.Options) {
		o.TLS = &envoy.TLS{Certificate: server.certificate, Key: server.key}
		o.JWT = []envoy.JWT{login.options(t)}
		o.LogHeaders = []string{"x-tenant"}
	})
	c := overTLS(t, &tls.Config{InsecureSkipVerify: true})
	sent := 0
	f := func(who string, headers ...string) line {
		t.Helper()
		m := mark()
		sent++
		got, err := c.do(http.MethodGet, s.envoy.URL()+"/?mark="+m, append(headers, envoy.JA4Key, "t13forged")...)
		if err != nil {
			t.Fatal(err)
		}
		s.wants(got, http.StatusOK)
		l := s.recorded(tape, m, 1)[0]
		if !strings.HasPrefix(l.JA4, "t13") || strings.Contains(l.JA4, "forged") {
			t.Errorf("%s: the device is %q", who, l.JA4)
		}
		if p, known := s.wonted.Profile(t, who); !known || p.Accepted != 1 {
			t.Errorf("%s: the profile holds %+v (known: %v)", who, p, known)
		}
		return l
	}
	f("key-1", "x-api-key", "key-1")
	if l := f("alice", "authorization", "Bearer "+login.token(t, "alice")); len(l.JWT) == 0 {
		t.Errorf("no verified claim in %+v", l)
	}
	before := s.metric("wonted_decisions_total", `mode="shadow"`, `action="deny"`)
	m := mark()
	got, err := c.do(http.MethodGet, s.envoy.URL()+"/?mark="+m, "x-tenant", "t", "x-api-key", "key-2")
	if err != nil {
		t.Fatal(err)
	}
	s.wants(got, http.StatusOK)
	s.recorded(tape, m, 1)
	if n := s.metric("wonted_decisions_total", `mode="shadow"`, `action="deny"`); n != before+1 {
		t.Errorf("%v verdicts about a header that was named, want 1", n-before)
	}
	envoytest.Eventually(t, "all are judged", func() error {
		if n := int(s.metric("wonted_exchanges_total")); n != sent+1 {
			return fmt.Errorf("%d of %d", n, sent+1)
		}
		return nil
	})
	s.undisturbed()
}
