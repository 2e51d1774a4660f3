package extproc

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// proxy is an Envoy driven by hand: it asks on one stream an exchange and tells
// on a long one.
type proxy struct {
	conn *grpc.ClientConn
	log  alsv3.AccessLogService_StreamAccessLogsClient
}

func (p *proxy) connect(t testing.TB) {
	t.Helper()
	var err error
	if p.log, err = alsv3.NewAccessLogServiceClient(p.conn).StreamAccessLogs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.log.Send(&alsv3.StreamAccessLogsMessage{Identifier: &alsv3.StreamAccessLogsMessage_Identifier{LogName: "wonted"}}); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request and leaves as Envoy does where no response is asked for.
func (p *proxy) ask(ctx context.Context, path string) (id string, awaited bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := extprocv3.NewExternalProcessorClient(p.conn).Process(ctx)
	if err != nil {
		return "", false, err
	}
	if err := stream.Send(rq(lines(":method", "GET", ":path", path, ":scheme", "https", ":authority", "api"), true)); err != nil {
		return "", false, err
	}
	r, err := stream.Recv()
	if err != nil {
		return "", false, err
	}
	all, _ := r.GetDynamicMetadata().AsMap()[namespace].(map[string]any)
	id, _ = all["id"].(string)
	awaited, _ = all["awaited"].(bool)
	return id, awaited, nil
}

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for " + what)
		}
	}
}

// TestLeanOverGRPC: the whole way, with the generated clients; the log goes
// away in the middle and comes back.
func TestLeanOverGRPC(t *testing.T) {
	var mu sync.Mutex
	sizes := map[string]int64{}
	g := &fakeGate{hooks: hooks{onClose: func(c *policy.Case, end scoring.End) {
		mu.Lock()
		defer mu.Unlock()
		if end == scoring.Answered {
			sizes[string(c.Exchange.Path)] = c.Exchange.ResponseBytes
		}
	}}}
	s := leanServer(g, nil)
	p := &proxy{conn: serve(t, s)}
	p.connect(t)
	until(t, "the log", func() bool { return s.Stats().Logs == 1 })
	var ids []string
	for i := range 20 {
		id, awaited, err := p.ask(t.Context(), fmt.Sprintf("/%d", i))
		if err != nil || !awaited {
			t.Fatalf("%v, awaited %v", err, awaited)
		}
		ids = append(ids, id)
	}
	tell := func(from, to int) {
		t.Helper()
		m := batch()
		for i := from; i < to; i++ {
			m.GetHttpLogs().LogEntry = append(m.GetHttpLogs().LogEntry, line(t, ids[i], true, 200, uint64(1000+i)))
		}
		if err := p.log.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	tell(0, 10)
	if _, err := p.log.CloseAndRecv(); err != nil {
		t.Errorf("the end of a log: %v", err)
	}
	until(t, "the log to go", func() bool { return s.Stats().Logs == 0 })
	if st := s.Stats(); st.Open != 10 || st.Awaited != 10 {
		t.Errorf("%+v", st)
	}
	p.connect(t)
	tell(10, 20)
	until(t, "the last entry", func() bool { return s.Stats().Open == 0 })
	until(t, "the last close", func() bool { mu.Lock(); defer mu.Unlock(); return len(sizes) == 20 })
	g.check(t)
	for i := range 20 {
		if got := sizes[fmt.Sprintf("/%d", i)]; got != int64(1000+i) {
			t.Errorf("exchange %d: %d bytes", i, got)
		}
	}
}

// TestEndLogs: a process that leaves lets go of the log when all is told that it
// waits for, and not before, unless that takes too long.
func TestEndLogs(t *testing.T) {
	for _, told := range []bool{true, false} {
		g := &fakeGate{}
		s := leanServer(g, nil)
		p := &proxy{conn: serve(t, s)}
		p.connect(t)
		until(t, "the log", func() bool { return s.Stats().Logs == 1 })
		id, _, err := p.ask(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		patience := 50 * time.Millisecond
		if told {
			patience = time.Minute
		}
		ended := make(chan struct{})
		go func() { s.EndLogs(patience); close(ended) }()
		if told {
			if err := p.log.Send(batch(line(t, id, true, 200, 5))); err != nil {
				t.Fatal(err)
			}
		}
		<-ended
		if err := p.log.RecvMsg(&alsv3.StreamAccessLogsResponse{}); err != nil {
			t.Errorf("told %v: the stream ended with %v", told, err)
		}
		if n := s.Stats().Open; n == 0 != told {
			t.Errorf("told %v: %d open", told, n)
		}
		s.EndLogs(0)
		s.Drain()
		g.check(t)
	}
}

// TestLeanUnderStress: streams that leave, entries that come at once, late,
// twice or never, a sweeper without a pause and a table that is too small. Every
// exchange is closed once an opening, and no session serves two.
func TestLeanUnderStress(t *testing.T) {
	var wrong atomic.Int64
	g := &fakeGate{hooks: hooks{
		onOpen: func(c *policy.Case) policy.Verdict {
			c.Degraded = append(c.Degraded[:0], string(c.Exchange.Path))
			return allow()
		},
		onClose: func(c *policy.Case, _ scoring.End) {
			if len(c.Degraded) != 1 || c.Degraded[0] != string(c.Exchange.Path) {
				wrong.Add(1)
			}
		},
	}}
	s := leanServer(g, func(c *Config) { c.MaxOpen, c.Clock, c.Deadline = 1600, time.Now, 20*time.Millisecond })
	s.log.streams.Store(1)
	ctx, cancel := context.WithCancel(t.Context())
	var sweeper, streams, logs sync.WaitGroup
	sweeper.Go(func() {
		for ctx.Err() == nil {
			s.Sweep(time.Now())
			time.Sleep(200 * time.Microsecond)
		}
	})
	const workers, each = 8, 200
	ids := make(chan string, workers*each)
	for range 3 {
		logs.Go(func() {
			for id := range ids {
				tells(t, s, line(t, id, true, 200, 5))
				if id[0]&1 == 0 {
					tells(t, s, line(t, id, true, 200, 5))
				}
			}
		})
	}
	for w := range workers {
		streams.Go(func() {
			for i := range each {
				path := fmt.Sprintf("/%d/%d", w, i)
				stream := &script{messages: [][]byte{marshal(t, rq(lines(":method", "GET", ":path", path), false)), marshal(t, words["rqb$"])}}
				if i%3 == 0 {
					stream.before = func(k int) {
						if k == 1 {
							ids <- awaitedID(t, stream) // while the request is still going up
						}
					}
				}
				if err := s.process(stream); err != nil {
					t.Error(err)
				}
				switch {
				case i%3 != 0 && i%7 != 0:
					ids <- awaitedID(t, stream)
				}
			}
		})
	}
	streams.Wait()
	close(ids)
	logs.Wait()
	cancel()
	sweeper.Wait()
	s.Drain()
	g.check(t)
	got := resultsOf(s)
	t.Log(got, g.ends())
	if wrong.Load() != 0 {
		t.Errorf("%d exchanges were closed as another", wrong.Load())
	}
	if st := s.Stats(); st.Open != 0 || counted(s.metrics.open) != 0 || got["panic"] != 0 || got["unreadable"] != 0 {
		t.Errorf("%+v, %v", st, got)
	}
	if got["closed"]+got["late"] == 0 || got["duplicate"] == 0 {
		t.Errorf("%v: the test proves little", got)
	}
}
