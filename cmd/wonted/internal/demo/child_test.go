package demo

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// The tests start this test binary again as the child: with playChild set it
// is a program that behaves like a wonted, as far as child.go can see.
const playChild = "WONTED_DEMO_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(playChild) {
	case "":
		os.Exit(m.Run())
	case "ready":
		listener, err := net.Listen("tcp", os.Args[1])
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stderr, `{"level":"info","message":"listening"}`)
		fmt.Fprintln(os.Stderr, `{"level":"warn","id":"1f","time":"2026-03-02T03:14:00Z","identity":"brightwater…","route":"GET /v1/orders","action":"challenge","mode":"enforce","status":401,"evidence":[{"detector":"network","summary":"a new network"}]}`)
		_ = http.Serve(listener, nil404ExceptReady())
	case "broken":
		fmt.Fprintln(os.Stderr, "wonted: no such setting")
		os.Exit(1)
	}
}

func nil404ExceptReady() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	return mux
}

// The child's reports are read out of its log, and it ends when it is killed.
func TestChildReportsAndIsKilled(t *testing.T) {
	t.Setenv(playChild, "ready")
	admin, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	c, err := startChild(t.Context(), os.Args[0], []string{admin}, admin)
	if err != nil {
		t.Fatal(err)
	}
	reports := c.awaitReports(t.Context(), func(r []*policy.Report) bool { return len(r) > 0 })
	if len(reports) != 1 || reports[0].ID != "1f" || reports[0].Evidence[0].Summary != "a new network" {
		t.Errorf("reports %+v", reports)
	}
	if tail := string(c.logTail()); !strings.Contains(tail, "listening") {
		t.Errorf("log %q", tail)
	}
	c.kill()
	if answers(t.Context(), "http://"+admin+"/readyz") {
		t.Error("it answers after its death")
	}
	c.stop() // of one that has gone is nothing
}

// A child that does not come up is an error with the end of its log.
func TestChildThatFails(t *testing.T) {
	t.Setenv(playChild, "broken")
	start := time.Now()
	_, err := startChild(t.Context(), os.Args[0], nil, "127.0.0.1:1")
	if err == nil || !strings.Contains(err.Error(), "no such setting") {
		t.Errorf("got %v", err)
	}
	if time.Since(start) > readyWithin {
		t.Error("it waited for a child that had gone")
	}
}

// Lines of the log that are no report are none.
func TestParseReport(t *testing.T) {
	f := func(line string, is bool) {
		t.Helper()
		if got := parseReport([]byte(line)) != nil; got != is {
			t.Errorf("%s: a report: %v, want %v", line, got, is)
		}
	}
	f(`{"level":"info","message":"listening"}`, false)
	f(`{"id":"1","action":"allow"}`, false)
	f(`not JSON`, false)
	f(`{"id":"1","action":"allow","route":"GET /"}`, true)
}
