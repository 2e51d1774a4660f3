package bench

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

func point(concurrency int) Point {
	return Point{Identities: 10, Concurrency: concurrency, Protocol: HTTP1, Scenario: ScenarioAPI}
}

// TestOpenLoopCountsFromWhenARequestWasDue stalls the API once for 400 ms, in
// which 200 requests are due on one connection: a generator that waits with the
// next until the last is answered would show one slow answer of 600.
func TestOpenLoopCountsFromWhenARequestWasDue(t *testing.T) {
	const stall, rate, length = 400 * time.Millisecond, 500, 1200 * time.Millisecond
	var n atomic.Int32
	address := envoytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 100 {
			time.Sleep(stall)
		}
		_, _ = w.Write([]byte("ok"))
	}))
	l := newLoad(address, point(1), 0, anything)
	defer l.close()
	sum := l.open(t.Context(), length, rate).sum()
	round := sum.round(1)
	if want := int(length.Seconds() * rate); sum.requests != want || len(sum.errors) > 0 {
		t.Fatalf("%d of %d requests answered, errors %v", sum.requests, want, sum.errors)
	}
	if slow := sum.requests - countUpTo(round, 100); slow < 100 {
		t.Errorf("%d requests waited for more than 100 ms in a stall of %v at %d/s", slow, stall, rate)
	}
	if round.P99 < 300 || round.P999 < round.P99 || round.P99 < round.P90 || round.P90 < round.P50 {
		t.Errorf("p50 %.0f, p90 %.0f, p99 %.0f, p99.9 %.0f ms do not show a stall of %v", round.P50, round.P90, round.P99, round.P999, stall)
	}
}

func countUpTo(r Round, ms float64) (n int) {
	for _, bin := range r.Histogram {
		if bin.UpTo <= ms {
			n += int(bin.Count)
		}
	}
	return n
}

// TestHistogramHoldsEveryRequest: the curve is coarser than what the quantiles
// are taken from, and as many.
func TestHistogramHoldsEveryRequest(t *testing.T) {
	ta := newTally(3)
	q := Request{Status: 200}
	const requests = 10_000
	for i := range requests {
		ta.add(i, &q, answer{status: 200}, nil, time.Duration(i*i)*time.Microsecond/10, exact)
	}
	round := ta.sum().round(1)
	if n := countUpTo(round, 1e9); n != requests || round.Requests != requests || round.Statuses[200] != requests {
		t.Errorf("%d requests in the curve, %d in all, statuses %v, want %d", n, round.Requests, round.Statuses, requests)
	}
	if len(round.Histogram) > 600 {
		t.Errorf("a curve of %d points", len(round.Histogram))
	}
	for i, bin := range round.Histogram {
		if i > 0 && bin.UpTo <= round.Histogram[i-1].UpTo {
			t.Fatalf("bin %d ends at %v, the one before at %v", i, bin.UpTo, round.Histogram[i-1].UpTo)
		}
	}
	if want := 2500.0; round.P50 < want*0.99 || round.P50 > want*1.01 {
		t.Errorf("p50 %v ms, want %v within a hundredth", round.P50, want)
	}
}

func TestClosedLoopKeepsItsConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &countingListener{Listener: l}
	t.Cleanup(func() { l.Close() })
	go ServeUpstream(counted)
	load := newLoad(l.Addr().String(), point(3), 0.1, exact)
	defer load.close()
	for range 2 {
		sum := load.closed(t.Context(), 100*time.Millisecond).sum()
		if sum.requests == 0 || len(sum.errors) > 0 || len(sum.different) > 0 {
			t.Fatalf("%d requests, errors %v, different %v", sum.requests, sum.errors, sum.different)
		}
	}
	if n := counted.n.Load(); n != 3 {
		t.Errorf("%d connections for 3 clients in two rounds", n)
	}
}

// TestClientsThink: one that thinks for 20 ms on average cannot send more than
// a few dozen requests in 300 ms, where one that does not sends thousands.
func TestClientsThink(t *testing.T) {
	p := point(1)
	p.Think = 20 * time.Millisecond
	l := newLoad(api(t), p, 0, exact)
	defer l.close()
	if sum := l.closed(t.Context(), 300*time.Millisecond).sum(); sum.requests < 1 || sum.requests > 60 || len(sum.errors) > 0 {
		t.Errorf("%d requests, errors %v", sum.requests, sum.errors)
	}
}

type countingListener struct {
	net.Listener
	n atomic.Int32
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return conn, err
}

func TestLoadEndsWithItsContext(t *testing.T) {
	for _, rate := range []float64{0, 10} {
		l := newLoad(api(t), point(2), 0, exact)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if sum := l.run(ctx, time.Hour, rate).sum(); sum.requests > 2 { // or the test times out
			t.Errorf("rate %v: %d requests after the end", rate, sum.requests)
		}
		l.close()
	}
}

// TestErrorsByKind: what a client may run into, in the report's words.
func TestErrorsByKind(t *testing.T) {
	f := func(want string, handle func(net.Conn)) {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if handle == nil {
			l.Close()
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				handle(conn)
				conn.Close()
			}
		}()
		load := newLoad(l.Addr().String(), point(1), 0, exact)
		defer load.close()
		sum := load.closed(t.Context(), 20*time.Millisecond).sum()
		if sum.errors[want] == 0 || sum.requests != 0 || sum.sent() == 0 {
			t.Errorf("%d answered, errors %v, want %q", sum.requests, sum.errors, want)
		}
	}
	read := func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }
	f("refused", nil)
	f("closed", read)
	f("closed", func(conn net.Conn) {
		read(conn)
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"))
	})
	f("closed", func(conn net.Conn) {
		read(conn)
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel"))
	})
	f(`answered "SSH-2.0-x\r\n"`, func(conn net.Conn) { read(conn); _, _ = conn.Write([]byte("SSH-2.0-x\r\n")) })
	if got := kind(errors.New("odd")); got != "odd" {
		t.Errorf("an unknown error is called %q", got)
	}
}

// TestAnswersAreHeldAgainstTheAPI: in shadow nothing may change, in enforce
// what an attack gets may.
func TestAnswersAreHeldAgainstTheAPI(t *testing.T) {
	f := func(e expectation, attack bool, a answer, want string) {
		t.Helper()
		q := Request{Status: 200, Bytes: 10, Attack: attack}
		if got := e.differs(&q, a); got != want {
			t.Errorf("%+v to an attack %v, expectation %d: %q, want %q", a, attack, e, got, want)
		}
	}
	const refused = "status 403 where the API says 200"
	same, other, no := answer{200, 10}, answer{200, 9}, answer{403, 5}
	f(exact, false, same, "")
	f(exact, false, other, "bodies of another size")
	f(exact, false, no, refused)
	f(exact, true, no, refused)
	f(enforced, false, same, "")
	f(enforced, false, no, refused)
	f(enforced, true, no, "")
	f(enforced, true, other, "")
	f(anything, false, no, "")
	f(anything, false, answer{503, 0}, "Service Unavailable")

	cut := newTally(1)
	q := Request{Status: 200, Bytes: 10, Attack: true}
	cut.add(0, &q, answer{200, 4}, errors.New("cut"), time.Millisecond, enforced)
	cut.add(0, &q, answer{200, 4}, errors.New("cut"), time.Millisecond, exact)
	cut.add(0, &q, answer{}, errors.New("gone"), time.Millisecond, enforced)
	if sum := cut.sum(); sum.requests != 1 || sum.errors["cut"] != 1 || sum.errors["gone"] != 1 {
		t.Errorf("%d answered, errors %v", sum.requests, sum.errors)
	}
}

// TestHTTP2 sends the same requests over one connection.
func TestHTTP2(t *testing.T) {
	var version, nameless atomic.Int32
	remotes := make(chan string, 1<<16)
	address := envoytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version.Store(int32(r.ProtoMajor))
		if r.Header.Get("x-api-key") == "" || r.Host != Host {
			nameless.Add(1)
		}
		select {
		case remotes <- r.RemoteAddr:
		default:
		}
		_, _ = w.Write([]byte("ok"))
	}))
	p := point(8)
	p.Protocol = HTTP2
	l := newLoad(address, p, 0, anything)
	defer l.close()
	sum := l.closed(t.Context(), 200*time.Millisecond).sum()
	if sum.requests == 0 || len(sum.errors) > 0 || version.Load() != 2 {
		t.Errorf("%d requests of HTTP/%d, errors %v", sum.requests, version.Load(), sum.errors)
	}
	close(remotes)
	from := map[string]bool{}
	for r := range remotes {
		from[r] = true
	}
	if len(from) != 1 || nameless.Load() != 0 {
		t.Errorf("%d connections, %d requests without their key or host", len(from), nameless.Load())
	}
}
