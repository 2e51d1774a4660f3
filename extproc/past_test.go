package extproc

import (
	"slices"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// TestPast: what the Gate and the identity rules get to see of an exchange at
// depth log.
func TestPast(t *testing.T) {
	type seen struct {
		Method, Scheme, Host, Path, Protocol, Source string
		Headers                                      []string
		Namespaces                                   []string
		Status                                       int
		Upload, Bytes                                int64
		End                                          scoring.End
		Took                                         time.Duration
	}
	var got []seen
	g := &fakeGate{}
	g.onClose = func(c *policy.Case, end scoring.End) {
		ex := &c.Exchange
		v := seen{
			string(ex.Method), string(ex.Scheme), string(ex.Host), string(ex.Path), string(ex.Protocol), string(ex.Source),
			nil, nil, ex.Status, ex.RequestBytes, ex.ResponseBytes, end, ex.Duration,
		}
		for _, h := range ex.Headers {
			v.Headers = append(v.Headers, string(h.Name)+": "+string(h.Value))
		}
		slices.Sort(v.Headers)
		for _, ns := range ex.Metadata {
			v.Namespaces = append(v.Namespaces, string(ns.Name))
		}
		got = append(got, v)
		if !c.Told || !ex.Time.Equal(morning) {
			t.Errorf("told %v at %v", c.Told, ex.Time)
		}
	}
	s := newServer(g, func(c *Config) { c.Depth = DepthLog })
	rich := richEntry(t)
	delete(rich.CommonProperties.Metadata.FilterMetadata, namespace)
	rich.Request.RequestHeaders["user-agent"] = "as listed"
	bare := &datav3.HTTPAccessLogEntry{
		CommonProperties: &datav3.AccessLogCommon{DownstreamRemoteAddress: &corev3.Address{Address: &corev3.Address_SocketAddress{
			SocketAddress: &corev3.SocketAddress{Address: "2001:db8::1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 7}}}}},
		Request: &datav3.HTTPRequestProperties{RequestMethod: 99, Path: "/x"},
	}
	tells(t, s, rich, bare)
	want := []seen{
		{
			"POST", "https", "api.example.com", "/v1/orders/8123?expand=items", "HTTP/2", "203.0.113.9:0",
			[]string{"cookie: session=1", "referer: https://example.com/", "user-agent: as listed", "x-api-key: k-1",
				"x-forwarded-for: 203.0.113.9", "x-request-id: b2c7a0de-0000-4000-8000-000000000001"},
			[]string{"envoy.filters.http.jwt_authn"}, 200, 77, 4096, scoring.Answered, 70 * time.Millisecond,
		},
		{Path: "/x", Source: "[2001:db8::1]:7", Bytes: -1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	// What is none of ours to judge.
	tells(t, s,
		line(t, "00112233445566778899aabbccddeeff", false, 200, 5), // judged on a stream
		line(t, "", false, 431, 5, func(e *datav3.HTTPAccessLogEntry) { e.Request = nil }),
		line(t, "", false, 403, 19, func(e *datav3.HTTPAccessLogEntry) { e.Response.ResponseCodeDetails = blocked }),
		line(t, "", false, 400, 5, flagged(func(f *datav3.ResponseFlags) { f.DownstreamProtocolError = true })),
		line(t, "", false, 200, 5, func(e *datav3.HTTPAccessLogEntry) {
			e.CommonProperties.AccessLogType = datav3.AccessLogType_DownstreamPeriodic
		}),
	)
	if r := resultsOf(s); len(got) != 2 || r["judged"] != 2 || r["known"] != 1 || r["local_reply"] != 2 || r["blocked"] != 1 || r["intermediate"] != 1 {
		t.Errorf("%d, %v", len(got), r)
	}
	g.check(t)
}

// TestPastTeaches, with the real Gate over the real Scorer in enforce mode: a
// profile grows from the log alone, a panic leaves nothing in flight, and
// verdicts are what would have been.
func TestPastTeaches(t *testing.T) {
	store := profile.New(profile.Default())
	decider := &yes{policy.Decision{Action: policy.Allow, Budget: policy.Budget{Bytes: 1000}}}
	var reports reported
	gate := policy.NewGate(policy.Config{Scorer: scoring.New(scoring.Config{Store: store}), Decider: decider, Mode: policy.Enforce, Sink: &reports})
	clock := newHands()
	s := newServer(gate, func(c *Config) { c.Depth, c.Clock, c.Identity = DepthLog, clock.now, &named{} })
	for range 30 {
		clock.advance(time.Second)
		tells(t, s, line(t, "", false, 200, 500))
	}
	tells(t, s, line(t, "", false, 401, 500)) // taken back
	tells(t, s, line(t, "", false, 404, 500)) // an error teaches nothing
	tells(t, s, line(t, "", false, 200, 5000))
	s.gate = &panicking{Gate: gate}
	tells(t, s, line(t, "", false, 200, 500))

	rec, pin, ok := store.Find(profile.Key{Hi: 1})
	if !ok {
		t.Fatal("there is no profile")
	}
	defer pin.Release()
	if rec.Requests != 33 || rec.Accepted != 32 || rec.InFlight != 0 {
		t.Errorf("%d requests, %d accepted, %d in flight", rec.Requests, rec.Accepted, rec.InFlight)
	}
	if n := len(reports); n != 1 || reports[0].Action != "deny" || reports[0].Mode != "shadow" || reports[0].Bytes != 5000 {
		t.Errorf("%d reports: %+v", n, reports)
	}
	if r := resultsOf(s); r["judged"] != 33 || r["panic"] != 1 {
		t.Errorf("%v", r)
	}
}

// panicking is a Gate that cannot answer.
type panicking struct{ Gate }

func (*panicking) Answer(*policy.Case, time.Time) policy.Verdict { panic("in the Gate") }

type reported []*policy.Report

func (r *reported) Report(x *policy.Report) { *r = append(*r, x) }
