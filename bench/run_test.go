package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// short is a plan of a second or so, on a real Envoy and the real program.
func short(t testing.TB, variants ...string) Plan {
	t.Helper()
	envoytest.Find(t) // or say how to get it
	return Plan{
		Program: envoytest.Build(t), Variants: variants,
		Rounds: 1, Duration: 300 * time.Millisecond, WarmUp: 50 * time.Millisecond, Procs: 1,
		Points: []Point{{Name: "c4", Identities: 50, Concurrency: 4}},
	}
}

func mustRun(t testing.TB, p Plan) *Report {
	t.Helper()
	var said strings.Builder
	r, err := Run(t.Context(), p, &said)
	if err != nil {
		t.Fatal(err)
	}
	if r.Partial {
		t.Error("the report is partial, and nobody has interrupted it")
	}
	return r
}

// TestRunCountsWhatItSends: every variant answers the same, and wonted has
// judged exactly what was sent.
func TestRunCountsWhatItSends(t *testing.T) {
	plan := short(t, Bare, Noop, "wonted-headers", "wonted-headers-x2", "wonted-adaptive", "wonted-log")
	plan.Rounds, plan.Attack = 2, 0.05
	plan.Peers = []Peer{{"extproc", plan.Program + " bench noop --listen " + listenPlace}}
	r := mustRun(t, plan)
	if len(r.Failures) > 0 {
		t.Errorf("the run does not count: %v", r.Failures)
	}
	var names []string
	for _, v := range r.Variants {
		names = append(names, v.Name)
		if v.Does == "" || v.State == "" || v.Decision == "" {
			t.Errorf("%+v does not say what it does", v)
		}
	}
	if want := []string{Bare, Noop, "wonted-log", "wonted-adaptive", "wonted-headers", "wonted-headers-x2", "extproc"}; !slices.Equal(names, want) {
		t.Errorf("variants %v, want %v", names, want)
	}
	if len(r.Cells) != 1 || len(r.Cells[0].Results) != len(names) {
		t.Fatalf("%d cells", len(r.Cells))
	}
	for _, result := range r.Cells[0].Results {
		if len(result.Rounds) != plan.Rounds {
			t.Errorf("%s: %d rounds of %d", result.Variant, len(result.Rounds), plan.Rounds)
		}
		wonted := strings.HasPrefix(result.Variant, "wonted-")
		for _, round := range result.Rounds {
			if round.Requests == 0 || len(round.Errors) > 0 || round.Statuses[200]+round.Statuses[401] != round.Requests {
				t.Errorf("%s: %d requests, errors %v, statuses %v", result.Variant, round.Requests, round.Errors, round.Statuses)
			}
			if wonted && round.Scored != int64(round.Requests) || !wonted && round.Scored != -1 {
				t.Errorf("%s: scored %d of %d", result.Variant, round.Scored, round.Requests)
			}
			if wonted && (round.AllocObjects == 0 || round.Resident == 0 || round.Profiles < 50) {
				t.Errorf("%s: %v objects allocated, %d bytes resident, %d profiles", result.Variant, round.AllocObjects, round.Resident, round.Profiles)
			}
			if (round.ProcessorCPU == 0) != (result.Variant == Bare) || round.EnvoyCPU == 0 || round.P50 == 0 || len(round.Histogram) == 0 {
				t.Errorf("%s: processor %v s, Envoy %v s, p50 %v ms", result.Variant, round.ProcessorCPU, round.EnvoyCPU, round.P50)
			}
		}
	}
	if m := r.Machine; m.Cores == 0 || m.Memory == 0 || m.Envoy == "" || m.Go == "" || m.Kernel == "" || m.GOMAXPROCS != 1 {
		t.Errorf("the machine is %+v", m)
	}
}

// TestOpenLoopOverHTTP2 runs both through Envoy.
func TestOpenLoopOverHTTP2(t *testing.T) {
	plan := short(t, Bare, "wonted-headers-enforce")
	plan.Points[0].Rate, plan.Points[0].Protocol = 200, HTTP2
	r := mustRun(t, plan)
	if len(r.Failures) > 0 {
		t.Errorf("the run does not count: %v", r.Failures)
	}
	for _, result := range r.Cells[0].Results {
		if n := result.Rounds[0].Requests; n != 60 {
			t.Errorf("%s: %d requests at 200/s in 300 ms", result.Variant, n)
		}
	}
}

// TestARunThatAnswersDifferentlyFails: a wonted that refuses everybody does
// less work than one that lets them through, and must not look the better.
func TestARunThatAnswersDifferentlyFails(t *testing.T) {
	plan := short(t, Bare, "wonted-headers-enforce")
	plan.Policy = "package wonted.policy\n\ndeny contains \"closed\" if true\n"
	r := mustRun(t, plan)
	failures := strings.Join(r.Failures, "\n")
	if !strings.Contains(failures, "wonted-headers-enforce has changed answers") || !strings.Contains(failures, "status 403 where the API says 200") {
		t.Errorf("failures: %q", failures)
	}
	if strings.Contains(failures, Bare) {
		t.Errorf("bare has failed as well: %q", failures)
	}
}

// TestBurstsRunBesideTheLoad: each is there, with a pair for every round.
func TestBurstsRunBesideTheLoad(t *testing.T) {
	plan := short(t, "wonted-adaptive")
	plan.Bursts, plan.Policy = true, "package wonted.policy\n"
	r := mustRun(t, plan)
	if len(r.Failures) > 0 {
		t.Errorf("the run does not count: %v", r.Failures)
	}
	if len(r.Bursts) != len(bursts)+1 {
		t.Fatalf("%d bursts", len(r.Bursts))
	}
	for _, b := range r.Bursts {
		if len(b.With) != plan.Rounds || len(b.Without) != plan.Rounds || b.With[0] == 0 || b.Without[0] == 0 {
			t.Errorf("%+v", b)
		}
	}
}

// TestInterruptedRunTellsWhatItHas ends it in the middle: the report holds the
// rounds that are whole, and no process is left.
func TestInterruptedRunTellsWhatItHas(t *testing.T) {
	plan := short(t, Bare, Noop)
	plan.Rounds = 1000
	dir, err := os.MkdirTemp("", "run-") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	ctx, cancel := context.WithCancel(t.Context())
	var said bytes.Buffer
	timer := time.AfterFunc(8*time.Second, cancel)
	defer timer.Stop()
	r, err := Run(ctx, plan, &said)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Partial || len(r.Cells) != 1 || len(r.Cells[0].Results) != 2 {
		t.Fatalf("partial %v, %d cells", r.Partial, len(r.Cells))
	}
	for _, result := range r.Cells[0].Results {
		if n := len(result.Rounds); n == 0 || n >= 1000 {
			t.Errorf("%s: %d rounds", result.Variant, n)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	running, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(running) == 0 {
		t.Fatalf("no processes in /proc: %v", err)
	}
	for _, file := range running {
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(dir)) {
			t.Errorf("%s still runs: %q", file, line)
		}
	}
}

// TestWhatCannotStartIsToldWithItsLog: for each process that a user names.
func TestWhatCannotStartIsToldWithItsLog(t *testing.T) {
	script := func(text string) string {
		path := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := func(change func(*Plan), want ...string) {
		t.Helper()
		plan := short(t, Bare)
		change(&plan)
		_, err := Run(t.Context(), plan, new(bytes.Buffer))
		if err == nil {
			t.Fatalf("no error; want %q", want)
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v\nwant %q in it", err, part)
			}
		}
	}
	failing := script("echo what is wrong >&2; exit 3")
	f(func(p *Plan) { p.Peers = []Peer{{"opa", "/nowhere/opa"}} }, "peer opa=/nowhere/opa", "cannot be run", "no such file")
	f(func(p *Plan) { p.Peers = []Peer{{"opa", failing}} }, "peer opa", "ended before it was ready (exit status 3)", "what is wrong")
	f(func(p *Plan) { p.Peers = []Peer{{"extproc", failing + " --at {listen}"}} }, "peer extproc", "--at unix:///", "what is wrong")
	f(func(p *Plan) { p.Program = failing }, "the API", "exit status 3", "what is wrong")
	f(func(p *Plan) { p.Target = "http://127.0.0.1:1" }, "target http://127.0.0.1:1 refuses", "connection refused")
	f(func(p *Plan) { p.Target = "127.0.0.1:1" }, "write http://host:port")
	f(func(p *Plan) { p.Variants = []string{"nop"} }, `no variant "nop"`, "noop, noop-bodies")
	f(func(p *Plan) { p.Points[0].Concurrency = 0; p.Rounds = 0 }, "concurrency: 0 is outside", "rounds: 0 is outside")
	f(func(p *Plan) { p.Variants = []string{"wonted-headers"}; p.Policy = "package wonted.policy\n\nfoo(" }, "start wonted-headers", "policy.rego:3")

	t.Setenv("ENVOY", failing)
	f(func(*Plan) {}, "start envoy", "ended before it was ready", "what is wrong")
}

// TestTarget loads what runs already, and starts nothing.
func TestTarget(t *testing.T) {
	plan := Plan{Target: "http://" + api(t), Rounds: 1, Duration: 100 * time.Millisecond,
		Points: []Point{{Name: "c2", Identities: 10, Concurrency: 2}}}
	r := mustRun(t, plan)
	if len(r.Failures) > 0 || len(r.Cells) != 1 || len(r.Cells[0].Results) != 1 || r.Cells[0].Results[0].Variant != targetName {
		t.Fatalf("failures %v, cells %+v", r.Failures, r.Cells)
	}
	if round := r.Cells[0].Results[0].Rounds[0]; round.Requests == 0 || round.Statuses[200] != round.Requests || round.EnvoyCPU != 0 {
		t.Errorf("%d requests, statuses %v, Envoy %v s", round.Requests, round.Statuses, round.EnvoyCPU)
	}
}

// TestPlansAreComplete: what make bench and make bench-full run is valid.
func TestPlansAreComplete(t *testing.T) {
	for name, p := range map[string]Plan{"standard": Standard(), "full": Full()} {
		p.Program = "wonted"
		if err := p.validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var visits int
		for _, c := range p.Points {
			visits += c.Rounds * len(c.Variants)
		}
		if visits == 0 {
			t.Errorf("%s measures nothing", name)
		}
		t.Logf("%s: %d cells, %d visits, %v of load", name, len(p.Points), visits, time.Duration(visits)*(p.Duration+p.WarmUp))
	}
}
