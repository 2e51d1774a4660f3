package bench

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wonted-project/wonted/bench/noop"
	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// asNoop makes this test binary the reference processor, on the socket that
// the variable names: a process of its own, so that its CPU is its own too.
const asNoop = "WONTED_BENCH_NOOP"

func TestMain(m *testing.M) {
	if socket := os.Getenv(asNoop); socket != "" {
		l, err := net.Listen("unix", socket)
		if err == nil {
			err = noop.New().Serve(l)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(envoytest.Main(m))
}

// startNoop runs the reference processor until the test ends.
func startNoop(t testing.TB) (listen string, pid int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "noop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "sock")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), asNoop+"="+socket)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = envoytest.Child()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	envoytest.Eventually(t, "the reference processor listens", func() error {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return "unix://" + socket, cmd.Process.Pid
}

// contender is a processor with its Envoy, and what its rounds gave.
type contender struct {
	name      string
	pid       int
	load      Load
	wonted    *envoytest.Wonted // nil: it is the reference
	perSecond []float64
	cpu       []float64 // microseconds of the processor a request
	p50, p99  []float64 // milliseconds
}

func (c *contender) round(b *testing.B, d time.Duration, keep bool) {
	b.Helper()
	before, err := CPU(c.pid)
	if err != nil {
		b.Fatal(err)
	}
	result, err := c.load.Run(b.Context(), d)
	if err != nil {
		b.Fatalf("%s: %v", c.name, err)
	}
	after, err := CPU(c.pid)
	if err != nil {
		b.Fatal(err)
	}
	if result.Requests == 0 {
		b.Fatalf("%s: no request was answered", c.name)
	}
	if !keep {
		return
	}
	c.perSecond = append(c.perSecond, result.PerSecond())
	c.cpu = append(c.cpu, float64((after-before).Microseconds())/float64(result.Requests))
	c.p50 = append(c.p50, result.Quantile(0.50).Seconds()*1e3)
	c.p99 = append(c.p99, result.Quantile(0.99).Seconds()*1e3)
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// BenchmarkFirstLook puts wonted (depth headers, shadow, default policy)
// beside the reference processor: the same load through Envoys of the same
// configuration, in turns, so that what else the machine does hits both.
// wonted stands there twice: with callers that it has known for days, and with
// callers that are new, whose responses it meters to the last byte. The
// numbers are medians of the rounds; the ratios are wonted's to noop's.
func BenchmarkFirstLook(b *testing.B) {
	const rounds, length = 5, 3 * time.Second
	upstream := envoytest.StartUpstream(b)
	requests := Callers(1000, "records=10&declare=1")
	through := func(opts envoy.Options) Load {
		opts.Upstream, opts.MessageTimeout = upstream.Address(), 5*time.Second
		return Load{Address: envoytest.StartEnvoy(b, opts).Address(), Requests: requests, Concurrency: 16}
	}
	listen, pid := startNoop(b)
	reference := &contender{name: "noop", pid: pid, load: through(envoy.Options{Wonted: listen, Depth: envoy.DepthHeaders, ResponseHeaders: true})}
	watching := func(name, more string) *contender {
		process := envoytest.StartWonted(b, envoytest.Settings{Mode: "shadow", More: more})
		return &contender{name: name, pid: process.PID(), wonted: process, load: through(envoy.Options{Wonted: process.Listen, Depth: envoy.DepthHeaders})}
	}
	known := watching("wonted", settled(b, requests, size(b, reference.load)))
	unknown := watching("wonted, new callers", "")
	all := []*contender{reference, known, unknown}

	for b.Loop() {
		for _, c := range all {
			c.round(b, length, false) // warm-up
		}
		turns := slices.Clone(all)
		for range rounds {
			for _, c := range turns {
				c.round(b, length, true)
			}
			slices.Reverse(turns)
		}
	}
	for _, c := range all {
		b.Logf("%-20s %6.0f req/s  %5.1f µs CPU a request  p50 %.2f ms  p99 %.2f ms  rounds: %.0f req/s, %.0f µs%s",
			c.name, median(c.perSecond), median(c.cpu), median(c.p50), median(c.p99), c.perSecond, c.cpu, c.judged(b))
	}
	ratio := func(c *contender, unit string) {
		b.ReportMetric(median(c.perSecond)/median(reference.perSecond), "req/s-to-noop"+unit)
		b.ReportMetric(median(c.cpu)/median(reference.cpu), "CPU-to-noop"+unit)
	}
	ratio(known, "")
	ratio(unknown, "-new-callers")
}

// size is how long one answer of the load is.
func size(b *testing.B, l Load) int64 {
	b.Helper()
	path, _, _ := bytes.Cut(l.Requests[0][len("GET "):], []byte(" "))
	response, err := http.Get("http://" + l.Address + string(path))
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	return response.ContentLength
}

// judged says how much of the load wonted found unusual, and how many messages
// it got: a benchmark in which that is not known says little.
func (c *contender) judged(b *testing.B) string {
	b.Helper()
	if c.wonted == nil {
		return ""
	}
	exchanges := c.wonted.Metric(b, "wonted_exchanges_total")
	return fmt.Sprintf("; %.2f messages a request, %.2g unusual",
		c.wonted.Metric(b, "wonted_stream_messages_total")/exchanges, c.wonted.Metric(b, "wonted_anomalous_total")/exchanges)
}

// TestNoopServesEnvoy proves that the reference is one: requests pass through
// it and both header messages are answered.
func TestNoopServesEnvoy(t *testing.T) {
	upstream := envoytest.StartUpstream(t)
	listen, _ := startNoop(t)
	e := envoytest.StartEnvoy(t, envoy.Options{Wonted: listen, Upstream: upstream.Address(), ResponseHeaders: true, MessageTimeout: 10 * time.Second})
	load := Load{Address: e.Address(), Requests: Callers(10, "records=10"), Concurrency: 2}
	result, err := load.Run(t.Context(), 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for stat, want := range map[string]int{
		"http.clients.ext_proc.wonted.stream_msgs_sent":     2 * result.Requests,
		"http.clients.ext_proc.wonted.stream_msgs_received": 2 * result.Requests,
		"http.clients.ext_proc.wonted.streams_failed":       0,
	} {
		if got := envoytest.Stat(t, e, stat); got != want {
			t.Errorf("%s is %d after %d requests, want %d", stat, got, result.Requests, want)
		}
	}
}
