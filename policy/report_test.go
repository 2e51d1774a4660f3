package policy

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

func TestReportJSON(t *testing.T) {
	b := newBench(saying(Decision{Action: Challenge, Reason: "not like it"}), nil)
	c := request()
	b.scorer.begin = func(ex *scoring.Exchange) {
		ex.Assessment.Score, ex.Assessment.Anomalous = 6.5, true
		a := &ex.Assessment
		a.Cohort, a.Peers.Level, a.Requests, a.Age, a.Confidence = "person", scoring.Warming, 1234, time.Hour, 0.75
		ex.Route.Object = 0x1_2345_6789
		ex.Assessment.Evidence = []scoring.Evidence{{
			Detector: scoring.Rate, Entity: profile.KindCaller, Score: 6.5, Observed: 900, Expected: 30, Unit: "requests", Window: 10 * time.Minute,
		}}
	}
	b.Open(c)
	b.Close(c, scoring.Refused, at)
	c.Reset() // the report outlives its exchange
	got, err := json.Marshal(b.reports[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-03-02T14:00:00Z","id":"01020300000000000000000000000000","identity":"acme","kind":"caller",` +
		`"route":"GET /v1/orders","score":6.5,"threshold":4,"anomalous":true,"action":"challenge","mode":"enforce",` +
		`"status":401,"records":-1,"bytes":-1,"reason":"not like it","evidence":[{"detector":"rate","score":6.5,` +
		`"observed":900,"expected":30,"unit":"requests","window":"10m","entity":"caller",` +
		`"summary":"900 requests in 10 minutes where 30 are usual (30x)","attack":"automated abuse","owasp":"API4:2023"}],"phase":"request","key":"00000000000000000000000000000007","object":"23456789","standing":{"cohort":"person","level":"warming","requests":1234,"age_s":3600,"confidence":0.75}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsReported(t *testing.T) {
	f := func(what string, want int, d Decision, anomalous bool) {
		t.Helper()
		b := newBench(saying(d), nil)
		b.scorer.begin = func(ex *scoring.Exchange) { ex.Assessment.Anomalous = anomalous }
		c := request()
		b.Open(c)
		b.Close(c, scoring.Answered, at)
		b.Close(c, scoring.Answered, at)
		if len(b.reports) != want {
			t.Errorf("%s: %d reports, want %d", what, len(b.reports), want)
		}
		if got := b.value(t, "wonted_anomalous_total"); (got == 1) != anomalous {
			t.Errorf("%s: %v counted as anomalous", what, got)
		}
	}
	f("plainly allowed", 0, Decision{Action: Allow}, false)
	f("with headers", 0, Decision{Action: Allow, Request: []HeaderRule{{Name: "a", Value: "b"}}}, false)
	f("anomalous", 1, Decision{Action: Allow}, true)
	f("an exception", 1, Decision{Action: Allow, Reason: "batch night"}, false)
	f("quarantined", 1, Decision{Action: Allow, Quarantine: []Quarantine{{Entity: "session", TTL: time.Hour}}}, false)
	f("throttled", 1, Decision{Action: Throttle}, false)
}

func TestQuarantineIsReported(t *testing.T) {
	b := newBench(saying(Decision{Action: Allow, Quarantine: []Quarantine{
		{Entity: "address", TTL: 90 * time.Minute}, {Entity: "credential", TTL: 10 * time.Minute},
	}}), nil)
	c := request()
	b.Open(c)
	b.Close(c, scoring.Answered, at)
	got, err := json.Marshal(b.reports[0].Quarantine)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`[{"entity":"address","ttl":"1h30m"},{"entity":"credential","ttl":"10m"}]`, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestPrincipal(t *testing.T) {
	ex := &request().Exchange
	if p := Principal(ex); p.Kind != profile.KindCaller || DisplayName(p) != "acme" {
		t.Errorf("principal %v %q", p.Kind, DisplayName(p))
	}
	ex.Entities[profile.KindCaller] = scoring.Identity{}
	ex.Entities[profile.KindAddress] = scoring.Identity{Kind: profile.KindAddress, Key: profile.Key{Hi: 0xab, Lo: 1}}
	if p := Principal(ex); p.Kind != profile.KindAddress || DisplayName(p) != "00000000000000ab0000000000000001" {
		t.Errorf("principal %v %q", p.Kind, DisplayName(p))
	}
	ex.Entities[profile.KindAddress] = scoring.Identity{}
	if p := Principal(ex); p.Kind != profile.KindNone || DisplayName(p) != "" {
		t.Errorf("principal of nobody: %v %q", p.Kind, DisplayName(p))
	}
}

func TestWindowName(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := WindowName(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	f(0, "")
	f(10*time.Second, "10s")
	f(time.Minute, "1m")
	f(10*time.Minute, "10m")
	f(time.Hour, "1h")
	f(24*time.Hour, "24h")
	f(90*time.Minute, "1h30m")
}
