package extproc

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// fakeGate passes everything unless told otherwise, and checks what every Gate
// may rely on: one goroutine a case at a time, the calls in order, Close once.
type fakeGate struct {
	hooks

	mu     sync.Mutex
	opened map[scoring.ID]bool
	closed map[scoring.ID]scoring.End
	last   scoring.Exchange // as it stood at the latest Close, without its slices
	busy   map[*policy.Case]bool
	wrong  []string
}

// hooks are what it is told to do.
type hooks struct {
	onOpen, onAnswer, onMeter, onFail func(c *policy.Case) policy.Verdict
	onAttempt                         func(c *policy.Case) policy.Verdict
	onClose                           func(c *policy.Case, end scoring.End)
}

func allow() policy.Verdict {
	return policy.Verdict{Decision: &policy.Decision{Action: policy.Allow}, Pass: true, Mode: policy.Enforce}
}

func refusal(a policy.Action, class string) policy.Verdict {
	return policy.Verdict{Decision: &policy.Decision{Action: a}, Class: class, Mode: policy.Enforce}
}

// always is a hook that gives the same verdict.
func always(v policy.Verdict) func(*policy.Case) policy.Verdict {
	return func(*policy.Case) policy.Verdict { return v }
}

// withBody asks for the response body.
func withBody(v policy.Verdict) policy.Verdict {
	v.Body = true
	return v
}

func (g *fakeGate) enter(c *policy.Case, call string, mustBeOpen bool) (leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened, g.closed, g.busy = map[scoring.ID]bool{}, map[scoring.ID]scoring.End{}, map[*policy.Case]bool{}
	}
	id := c.Exchange.ID
	if g.busy[c] {
		g.wrong = append(g.wrong, call+": two goroutines use a case")
	}
	if id == (scoring.ID{}) {
		g.wrong = append(g.wrong, call+": an exchange without an id")
	}
	if c.Exchange.Time.IsZero() {
		g.wrong = append(g.wrong, call+": an exchange without a time")
	}
	if _, is := g.closed[id]; is {
		g.wrong = append(g.wrong, call+": after Close")
	}
	if mustBeOpen && !g.opened[id] {
		g.wrong = append(g.wrong, call+": before Open")
	}
	g.busy[c] = true
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.busy, c)
	}
}

func (g *fakeGate) call(c *policy.Case, hook func(*policy.Case) policy.Verdict) policy.Verdict {
	if hook == nil {
		return allow()
	}
	return hook(c)
}

func (g *fakeGate) Open(c *policy.Case) policy.Verdict {
	defer g.enter(c, "Open", false)()
	g.mu.Lock()
	g.opened[c.Exchange.ID] = true
	g.mu.Unlock()
	return g.call(c, g.onOpen)
}

func (g *fakeGate) Answer(c *policy.Case, _ time.Time) policy.Verdict {
	defer g.enter(c, "Answer", true)()
	return g.call(c, g.onAnswer)
}

func (g *fakeGate) Attempt(c *policy.Case, _ time.Time) policy.Verdict {
	defer g.enter(c, "Attempt", true)()
	return g.call(c, g.onAttempt)
}

func (g *fakeGate) Meter(c *policy.Case, _ time.Time) policy.Verdict {
	defer g.enter(c, "Meter", true)()
	return g.call(c, g.onMeter)
}

func (g *fakeGate) Fail(c *policy.Case, reason string) policy.Verdict {
	defer g.enter(c, "Fail", false)()
	g.mu.Lock()
	g.opened[c.Exchange.ID] = true
	g.mu.Unlock()
	return g.call(c, g.onFail)
}

func (g *fakeGate) Close(c *policy.Case, end scoring.End, _ time.Time) {
	defer g.enter(c, "Close", true)()
	g.mu.Lock()
	g.closed[c.Exchange.ID] = end
	g.last = c.Exchange
	g.mu.Unlock()
	if g.onClose != nil {
		g.onClose(c, end)
	}
}

// check fails the test where the Gate was used wrongly or an exchange is open.
func (g *fakeGate) check(t testing.TB) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.wrong {
		t.Error(w)
	}
	if len(g.closed) != len(g.opened) {
		t.Errorf("%d exchanges opened, %d closed", len(g.opened), len(g.closed))
	}
}

// ends counts how exchanges ended.
func (g *fakeGate) ends() map[scoring.End]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := map[scoring.End]int{}
	for _, e := range g.closed {
		m[e]++
	}
	return m
}

// nobody resolves nothing.
type nobody struct{}

func (nobody) Resolve(*scoring.Exchange) {}

// Subject takes the name itself for its hash, as far as it fits.
func (nobody) Subject(ex *scoring.Exchange, name []byte) {
	for i, c := range name[:min(len(name), 8)] {
		ex.SignIn.User.Lo |= uint64(c) << (8 * i)
	}
	ex.SignIn.User.Hi = 1
}

// script is a stream in memory: it gives its messages one after the other, then
// ends; answers collect. Messages and answers go through the codec.
type script struct {
	grpc.ServerStream
	ctx      context.Context
	messages [][]byte
	then     error       // how it ends; nil: io.EOF
	refuse   int         // the answer from which on sending fails; 0: never
	before   func(i int) // called before message i is given
	answers  []*extprocv3.ProcessingResponse
	given    int
	wrap     func(i int, b []byte) mem.Buffer // how message i arrives; nil: nobody counts references
}

func (s *script) Context() context.Context {
	if s.ctx == nil {
		return context.Background()
	}
	return s.ctx
}

func (s *script) RecvMsg(v any) error {
	if s.before != nil {
		s.before(s.given)
	}
	if s.given == len(s.messages) {
		if s.then == nil {
			return io.EOF
		}
		return s.then
	}
	data := mem.BufferSlice{mem.SliceBuffer(s.messages[s.given])}
	if s.wrap != nil {
		data[0] = s.wrap(s.given, s.messages[s.given])
	}
	defer data.Free() // as grpc-go does
	s.given++
	return newCodec().Unmarshal(data, v)
}

func (s *script) SendMsg(v any) error {
	data, err := newCodec().Marshal(v)
	if err != nil {
		return err
	}
	defer data.Free()
	if s.refuse > 0 && len(s.answers)+1 >= s.refuse {
		return errGone
	}
	r := &extprocv3.ProcessingResponse{}
	if err := proto.Unmarshal(data.Materialize(), r); err != nil {
		return fmt.Errorf("an answer that is none: %w", err)
	}
	s.answers = append(s.answers, r)
	return nil
}

var errGone = fmt.Errorf("the proxy has gone")

// newServer is a server with a clock that stands still.
func newServer(g Gate, change func(*Config)) *Server {
	cfg := Config{Gate: g, Identity: nobody{}, Clock: func() time.Time { return morning }}
	if change != nil {
		change(&cfg)
	}
	return New(cfg)
}

var morning = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
