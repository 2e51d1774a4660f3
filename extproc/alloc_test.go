package extproc

import (
	"context"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// lenient passes everything, at no cost of its own.
type lenient struct{ verdict policy.Verdict }

func (g *lenient) Open(*policy.Case) policy.Verdict              { return g.verdict }
func (g *lenient) Answer(*policy.Case, time.Time) policy.Verdict { return g.verdict }
func (g *lenient) Meter(*policy.Case, time.Time) policy.Verdict  { return g.verdict }
func (g *lenient) Fail(*policy.Case, string) policy.Verdict      { return g.verdict }
func (g *lenient) Close(*policy.Case, scoring.End, time.Time)    {}

// loop is a stream in memory that can be played again and again.
type loop struct {
	grpc.ServerStream
	codec    codec
	messages []mem.BufferSlice
	next     int
}

func (l *loop) Context() context.Context { return context.Background() }

func (l *loop) RecvMsg(v any) error {
	if l.next == len(l.messages) {
		l.next = 0
		return io.EOF
	}
	l.next++
	return l.codec.Unmarshal(l.messages[l.next-1], v)
}

func (l *loop) SendMsg(v any) error {
	data, err := l.codec.Marshal(v)
	data.Free()
	return err
}

func playable(t testing.TB, v policy.Verdict, list ...string) (*Server, *loop) {
	l := &loop{codec: newCodec(), messages: []mem.BufferSlice{{mem.SliceBuffer(typicalRequest(t))}}}
	for _, b := range encodeWords(t, list) {
		l.messages = append(l.messages, mem.BufferSlice{mem.SliceBuffer(b)})
	}
	return newServer(&lenient{v}, func(c *Config) { c.Clock = time.Now }), l
}

// TestExchangeAllocatesNothing: all that this package does for a plain
// exchange, and for one whose body is metered.
func TestExchangeAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Log("not under the race detector: it makes sync.Pool forget at random")
		return
	}
	f := func(v policy.Verdict, list ...string) {
		t.Helper()
		s, l := playable(t, v, list...)
		n := testing.AllocsPerRun(1000, func() {
			if err := s.process(l); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%v: %v allocations", list, n)
		}
	}
	f(allow(), "rsh")
	f(withBody(allow()), "rsh", "rsb", "rsb", "rsb$")
}

// BenchmarkExchange is everything but grpc-go and the Gate.
func BenchmarkExchange(b *testing.B) {
	for name, v := range map[string]policy.Verdict{"plain": allow(), "metered": withBody(allow())} {
		b.Run(name, func(b *testing.B) {
			list := []string{"rsh"}
			if v.Body {
				list = append(list, "rsb", "rsb$")
			}
			s, l := playable(b, v, list...)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.process(l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
