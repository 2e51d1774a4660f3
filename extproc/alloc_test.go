package extproc

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// lenient passes everything, at no cost of its own.
type lenient struct{ verdict policy.Verdict }

func (g *lenient) Open(*policy.Case) policy.Verdict               { return g.verdict }
func (g *lenient) Answer(*policy.Case, time.Time) policy.Verdict  { return g.verdict }
func (g *lenient) Attempt(*policy.Case, time.Time) policy.Verdict { return g.verdict }
func (g *lenient) Meter(*policy.Case, time.Time) policy.Verdict   { return g.verdict }
func (g *lenient) Fail(*policy.Case, string) policy.Verdict       { return g.verdict }
func (g *lenient) Close(*policy.Case, scoring.End, time.Time)     {}

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
	return newServer(&lenient{v}, func(c *Config) { withOperations(c); c.Clock = time.Now }), l
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

// TestLeanAllocatesNothing: an exchange that the log ends, with its entry, and
// one that is known from the log alone.
func TestLeanAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Log("not under the race detector: it makes sync.Pool forget at random")
		return
	}
	for _, depth := range []Depth{DepthLean, DepthLog} {
		l := newLeanLoop(t, depth)
		if n := testing.AllocsPerRun(1000, l.exchange); n != 0 {
			t.Errorf("depth %d: %v allocations an exchange", depth, n)
		}
		if r := resultsOf(l.server); r["closed"]+r["judged"] != 1001 {
			t.Errorf("depth %d: %v", depth, r)
		}
	}
}

// leanLoop plays an exchange and its log entry again and again.
type leanLoop struct {
	t      testing.TB
	server *Server
	stream *loop
	reader *logReader
	data   mem.BufferSlice
	id     []byte // in data
}

func newLeanLoop(t testing.TB, depth Depth) *leanLoop {
	s, stream := playable(t, allow())
	s.depth = depth
	const someone = "0123456789abcdef0123456789abcdef"
	e := richEntry(t)
	if depth == DepthLog {
		delete(e.CommonProperties.Metadata.FilterMetadata, namespace)
	}
	b, err := proto.Marshal(batch(e))
	if err != nil {
		t.Fatal(err)
	}
	l := &leanLoop{t: t, server: s, stream: stream, reader: &logReader{server: s}, data: mem.BufferSlice{mem.SliceBuffer(b)}}
	if at := bytes.Index(b, []byte(someone)); at >= 0 {
		l.id = b[at : at+len(someone)]
	}
	return l
}

func (l *leanLoop) exchange() {
	if l.server.depth != DepthLog {
		if err := l.server.process(l.stream); err != nil {
			l.t.Fatal(err)
		}
		for id := range l.server.open.only() {
			hex.Encode(l.id, id[:])
		}
	}
	l.reader.message.decode(l.data)
	l.reader.read(&l.reader.message)
	l.reader.message.clear()
}

// only gives the id of the one flight that is awaited.
func (t *table) only() func(func(scoring.ID) bool) {
	return func(yield func(scoring.ID) bool) {
		for i := range t.shards {
			for id := range t.shards[i].byID {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// BenchmarkLog is an exchange that the log ends, and its entry.
func BenchmarkLog(b *testing.B) {
	for name, depth := range map[string]Depth{"lean": DepthLean, "log": DepthLog} {
		b.Run(name, func(b *testing.B) {
			l := newLeanLoop(b, depth)
			b.ReportAllocs()
			for b.Loop() {
				l.exchange()
			}
		})
	}
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
