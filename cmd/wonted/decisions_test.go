package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/flight"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// verdict is the n-th decision of a test, a second after the one before.
func verdict(n int) *decision {
	return &decision{Report: policy.Report{
		ID: fmt.Sprintf("%032x", n), Time: time.Date(2026, 3, 2, 0, 0, n, 0, time.UTC), Action: "deny", Mode: "enforce",
		Evidence: []policy.Finding{{Detector: "rate", Summary: "900 requests where 30 are usual"}},
	}}
}

func openedDecisions(t *testing.T, dir string) *decisions {
	t.Helper()
	d, err := openDecisions(dir, flight.New(), zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

func TestDecisionsAreBounded(t *testing.T) {
	d := openedDecisions(t, "")
	if d.find("0"); d.newest(1) == nil || len(d.newest(1)) != 0 || !d.since().IsZero() {
		t.Error("something is known before anything was decided")
	}
	const n = decisionsInMind + 10
	for i := range n {
		d.take(verdict(i))
	}
	d.take(verdict(n - 1)) // the same id again leaves one
	found := func(i int) bool {
		r, err := d.find(verdict(i).ID)
		return err == nil && r != nil && r.ID == verdict(i).ID
	}
	if found(0) || found(10) || !found(11) || !found(n-1) {
		t.Error("the oldest must go, and nothing else")
	}
	if len(d.known) >= decisionsInMind || len(d.newest(n)) != decisionsInMind {
		t.Errorf("%d known, %d listed of at most %d", len(d.known), len(d.newest(n)), decisionsInMind)
	}
	if two := d.newest(3); two[0].ID != verdict(n-1).ID || two[2].ID != verdict(n-2).ID {
		t.Error("the newest comes first")
	}
	if !d.since().Equal(verdict(11).Time) {
		t.Errorf("kept since %v", d.since())
	}
}

func TestDecisionsNeverBlock(t *testing.T) {
	d := openedDecisions(t, "")
	for i := range decisionQueue + 7 { // nobody takes them in meanwhile
		d.Report(&verdict(i).Report)
	}
	if got := d.dropped.Load(); got != 7 {
		t.Errorf("%d dropped, want 7", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.run(ctx) // takes in what waits, and ends
	if got := len(d.newest(1 << 20)); got != decisionQueue {
		t.Errorf("%d are known, want %d", got, decisionQueue)
	}
}

func TestDecisionsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	d := openedDecisions(t, dir)
	const n = decisionsInMind + 50
	for i := range n {
		d.take(verdict(i))
	}
	d.close()
	name := filepath.Join(dir, decisionsFile)
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "{\"id\":\"\"}\nnull\n\x00\x00\n{\"time\":\"2026-03-02T00:") // a crash
	f.Close()

	d = openedDecisions(t, dir)
	if got := d.newest(1); len(got) != 1 || got[0].ID != verdict(n-1).ID {
		t.Errorf("the newest after a restart: %v", got)
	}
	if r, err := d.find(verdict(3).ID); err != nil || r == nil || len(r.Evidence) != 1 {
		t.Errorf("one that is in the file only: %v, %v", r, err)
	}
	if r, err := d.find(strings.Repeat("f", 32)); err != nil || r != nil {
		t.Errorf("one that never was: %v, %v", r, err)
	}
	if !d.since().Equal(verdict(0).Time) {
		t.Errorf("kept since %v", d.since())
	}
	d.take(verdict(n)) // what the crash has left does not spoil the next
	d.close()
	if r := newestAfter(t, dir); r.ID != verdict(n).ID {
		t.Errorf("after a torn line the newest is %s", r.ID)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file can be read by others: %v %v", info, err)
	}
}

func newestAfter(t *testing.T, dir string) *decision {
	t.Helper()
	r, err := newestDecisions(filepath.Join(dir, decisionsFile), decisionFiles, 1)
	if err != nil || len(r) != 1 {
		t.Fatalf("%v, %v", r, err)
	}
	return r[0]
}

func TestDecisionFilesRotate(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, decisionsFile)
	for i, n := range []string{name + ".2", name + ".1", name} { // as rotation leaves them
		line := fmt.Sprintf(`{"time":"2026-03-02T00:00:%02dZ","id":"%032x"}`+"\n", i, i)
		if err := os.WriteFile(n, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := openedDecisions(t, dir)
	if got := d.newest(9); len(got) != 3 || got[0].ID != verdict(2).ID || got[2].ID != verdict(0).ID {
		t.Errorf("of three files: %v", got)
	}
	if !d.since().Equal(verdict(0).Time) {
		t.Errorf("kept since %v", d.since())
	}
}

func TestDecisionsOnAFullDisk(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	d, err := openDecisions(dir, flight.New(), zerolog.New(&log), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	d.close()
	name := filepath.Join(dir, decisionsFile)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o700); err != nil { // nothing can be written there
		t.Fatal(err)
	}
	d.take(verdict(1))
	d.take(verdict(2))
	if r, err := d.find(verdict(1).ID); err != nil || r == nil {
		t.Errorf("it is known all the same: %v, %v", r, err)
	}
	if got := d.failures.Load(); got != 2 {
		t.Errorf("%d failures, want 2", got)
	}
	if n := strings.Count(log.String(), "decisions cannot be recorded"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
	if _, err := openDecisions(dir, flight.New(), zerolog.Nop(), prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "decisions.jsonl") {
		t.Errorf("a directory in its place: %v", err)
	}
}

func TestDecisionsAreForgotten(t *testing.T) {
	dir := t.TempDir()
	d := openedDecisions(t, dir)
	alice, bob := profile.Key{Hi: 1, Lo: 2}, profile.Key{Hi: 3, Lo: 4}
	for i := range 10 {
		v := verdict(i)
		if v.Key = policy.Hash(alice); i%2 == 1 {
			v.Key = policy.Hash(bob)
		}
		d.take(v)
	}
	if err := d.forget(alice); err != nil {
		t.Fatal(err)
	}
	d.take(verdict(10))
	for range 2 { // in memory, and after a restart
		for i := range 11 {
			if r, err := d.find(verdict(i).ID); err != nil || (r != nil) != (i%2 == 1 || i == 10) {
				t.Errorf("decision %d: %v, %v", i, r, err)
			}
		}
		if got := d.newest(100); len(got) != 6 || got[0].ID != verdict(10).ID {
			t.Errorf("listed: %d", len(got))
		}
		d.close()
		d = openedDecisions(t, dir)
	}
	if text, err := os.ReadFile(filepath.Join(dir, decisionsFile)); err != nil || bytes.Contains(text, []byte(policy.Hash(alice))) {
		t.Errorf("the file holds her still, %v", err)
	}
}

// What the flight recorder has goes with the decision, with names for its routes.
func TestDecisionsTellWhatWasBefore(t *testing.T) {
	flights := flight.New()
	d, err := openDecisions(t.TempDir(), flights, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	alice := profile.Key{Hi: 1, Lo: 2}
	c := &policy.Case{}
	for i := range 3 {
		ex := &c.Exchange
		ex.Time, ex.Route.ID, ex.Route.Object = verdict(i).Time, uint32(100+i), 0xABCDEF
		ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: alice}
		ex.Status, ex.ResponseBytes, ex.Records = 200, 2000, -1
		flights.Record(c, scoring.Answered) // nobody has judged it: that is not plainly allowed
	}
	r := verdict(2)
	r.Key, r.Route = policy.Hash(alice), "GET /v1/export"
	d.Report(&r.Report)
	d.take(<-d.queue)
	d.latest, d.known = make([]*decision, 1), map[string]*decision{} // as after a restart
	kept, err := d.find(r.ID)
	if err != nil || kept == nil {
		t.Fatal(kept, err)
	}
	got, err := json.Marshal(viewDecision(kept, func(id uint32) string { return fmt.Sprint("route ", id) }).Recent)
	if err != nil {
		t.Fatal(err)
	}
	line := func(s int, route string) string {
		return fmt.Sprintf(`{"time":"2026-03-02T00:00:%02dZ","route":%q,"object":"00abcdef","status":200,"records":-1,"bytes":2000,"score":0,"action":"undecided","mode":"shadow","cut":false}`, s, route)
	}
	if want := "[" + line(0, "route 100") + "," + line(1, "route 101") + "," + line(2, "GET /v1/export") + "]"; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
