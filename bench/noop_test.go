package bench

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/wonted-project/wonted/bench/noop"
	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

func TestMain(m *testing.M) { os.Exit(envoytest.Main(m)) }

// TestNoopServesEnvoy proves that the reference is one: requests pass through
// it and both header messages are answered, and every chunk where it is asked
// for.
func TestNoopServesEnvoy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := noop.New()
	go server.Serve(l)
	t.Cleanup(server.Stop)
	f := func(bodies bool, scenario string, messages int) {
		t.Helper()
		e := envoytest.StartEnvoy(t, envoy.Options{Wonted: l.Addr().String(), Upstream: api(t), Depth: envoy.DepthHeaders,
			ResponseHeaders: true, ResponseBodies: bodies, MessageTimeout: 10 * time.Second})
		load := newLoad(e.Address(), Point{Identities: 10, Concurrency: 2, Scenario: scenario}, 0, exact)
		defer load.close()
		sum := load.closed(t.Context(), 200*time.Millisecond).sum()
		if sum.requests == 0 || len(sum.errors) > 0 || len(sum.different) > 0 {
			t.Fatalf("%d requests, errors %v, different %v", sum.requests, sum.errors, sum.different)
		}
		sent := envoytest.Stat(t, e, "http.clients.ext_proc.wonted.stream_msgs_sent")
		if sent < messages*sum.requests || !bodies && sent != messages*sum.requests {
			t.Errorf("%d messages for %d requests, want %d each", sent, sum.requests, messages)
		}
		for stat, want := range map[string]int{
			"http.clients.ext_proc.wonted.stream_msgs_received": sent,
			"http.clients.ext_proc.wonted.streams_failed":       0,
		} {
			if got := envoytest.Stat(t, e, stat); got != want {
				t.Errorf("%s is %d after %d requests, want %d", stat, got, sum.requests, want)
			}
		}
	}
	f(false, ScenarioAPI, 2)
	f(true, ScenarioBodies, 3)
}

// api serves the harness's own API in this process until the test ends.
func api(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go ServeUpstream(l)
	return l.Addr().String()
}
