package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
)

func TestReportsAreBoundedAndCounted(t *testing.T) {
	var out bytes.Buffer
	r := newReportLog(zerolog.New(&out), prometheus.NewRegistry())
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for range reportQueue + 7 { // nobody writes meanwhile
		r.Report(&policy.Report{Time: now, Action: "deny", Mode: "enforce",
			Evidence: []policy.Finding{{Summary: "10,000 records where 10 are usual"}}})
	}
	if got := r.dropped.Load(); got != 7 {
		t.Errorf("%d dropped, want 7", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Run(ctx) // writes what waits, and ends
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != reportBurst {
		t.Fatalf("%d lines, want %d", len(lines), reportBurst)
	}
	if got, want := r.quiet.Load(), uint64(reportQueue-reportBurst); got != want {
		t.Errorf("%d suppressed, want %d", got, want)
	}
	out.Reset()
	r.write(&policy.Report{Time: now.Add(time.Minute), Mode: "shadow", Action: "deny",
		Quarantine: []policy.Isolation{{Entity: "session", TTL: "10m"}}})
	var line struct {
		Level, Why string
		Suppressed int64
		Quarantine []policy.Isolation
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Suppressed != reportQueue-reportBurst || line.Level != "info" {
		t.Errorf("got %+v: the next line must say how many were left out, and shadow is no warning", line)
	}
	if len(line.Quarantine) != 1 || line.Quarantine[0] != (policy.Isolation{Entity: "session", TTL: "10m"}) || strings.Contains(lines[0], "quarantine") {
		t.Errorf("a quarantine that was asked for is said, and no other: %+v", line.Quarantine)
	}
	if !strings.Contains(lines[0], "10,000 records") || !strings.Contains(lines[0], `"level":"warn"`) {
		t.Errorf("a verdict that was carried out warns and says why: %s", lines[0])
	}
}
