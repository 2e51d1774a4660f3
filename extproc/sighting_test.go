package extproc

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/policy"
)

func TestSightingsAreForgotten(t *testing.T) {
	var s Sighting
	now := morning
	for range 3 {
		now = now.Add(quiet - time.Second)
		s.See(now)
	}
	f := func(later time.Duration, want uint64) {
		t.Helper()
		if got := s.Count(now.Add(later)); got != want {
			t.Errorf("after %v: %d, want %d", later, got, want)
		}
	}
	f(0, 3)
	f(quiet, 3)
	f(quiet+time.Second, 0)
	s.See(now.Add(2 * quiet))
	if got := s.Count(now.Add(2 * quiet)); got != 1 {
		t.Errorf("after a quiet time the count starts at %d", got)
	}
}

// withSource is the request headers with an attribute, as a rightly configured
// proxy sends them.
func withSource(t *testing.T, name, value string) []byte {
	t.Helper()
	m := rq(lines(":method", "GET", ":path", "/v1/orders", ":scheme", "https", ":authority", "api"), true)
	attribute, err := structpb.NewStruct(map[string]any{name: value})
	if err != nil {
		t.Fatal(err)
	}
	m.Attributes = map[string]*structpb.Struct{attributesKey: attribute}
	return marshal(t, m)
}

func TestMissingAttributesAreSeen(t *testing.T) {
	s := newServer(&fakeGate{}, nil)
	f := func(want uint64, messages ...[]byte) {
		t.Helper()
		if err := s.process(&script{messages: messages}); err != nil {
			t.Fatal(err)
		}
		if got := s.Stats().Sourceless; got != want {
			t.Errorf("%d without a source, want %d", got, want)
		}
	}
	f(0, withSource(t, "source.address", "192.0.2.7:40000"))
	f(1, encodeWords(t, []string{"rqh$"})...)
	f(2, withSource(t, "request.protocol", "HTTP/2"))
	f(2, encodeWords(t, []string{"rsh"})...) // a filter before us has refused: such a stream never has attributes
}

// Silent is the run of streams that end after the request.
func TestSilentStreamsAreSeen(t *testing.T) {
	g := &fakeGate{}
	s := newServer(g, nil)
	f := func(want uint64, words ...string) {
		t.Helper()
		if err := s.process(&script{messages: encodeWords(t, words)}); err != nil {
			t.Fatal(err)
		}
		if got := s.Stats().Silent; got != want {
			t.Errorf("after %v: %d silent, want %d", words, got, want)
		}
	}
	f(1, "rqh$")
	f(2, "rqh", "rqb$")
	f(2, "rsh")
	f(2, "none")
	f(0, "rqh$", "rsh$")
	f(1, "rqh$")
	g.onAnswer = always(withBody(allow()))
	f(0, "rqh$", "rsh") // broken off in the body: the response came
	f(1, "rqh$")
	g.onOpen = always(refusal(policy.Deny, "deny"))
	f(1, "rqh$") // our own refusal has no response either
}

// An answer that Envoy did not wait for is one that took its time and could not
// be sent.
func TestLateAnswersAreSeen(t *testing.T) {
	f := func(took time.Duration, refuse int, want uint64) {
		t.Helper()
		h := newHands()
		g := &fakeGate{hooks: hooks{onOpen: func(*policy.Case) policy.Verdict { h.advance(took); return allow() }}}
		s := newServer(g, func(c *Config) { c.Clock = h.now })
		for range 2 {
			_ = s.process(&script{messages: encodeWords(t, []string{"rqh$"}), refuse: refuse}) // it fails, or not
		}
		st := s.Stats()
		if st.Late != want || want > 0 && st.LateAfter != took {
			t.Errorf("%v, refused from %d: %d late after %v, want %d", took, refuse, st.Late, st.LateAfter, want)
		}
		if want > 0 && st.Silent != 0 {
			t.Errorf("%v: a late answer is also taken for silence", took)
		}
		g.check(t)
	}
	f(50*time.Millisecond, 1, 2)
	f(50*time.Millisecond, 0, 0)
	f(hesitation, 1, 2)
	f(time.Millisecond, 1, 0) // a client that went away just then
}

// observed shows the context of each stream.
type observed struct {
	*Server
	streams chan context.Context
}

func (o observed) process(stream grpc.ServerStream) error {
	o.streams <- stream.Context()
	return o.Server.process(stream)
}

// The same over gRPC, where the proxy resets the stream while we decide.
func TestAResetWhileDecidingIsLate(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h, g, streams := newHands(), &fakeGate{}, make(chan context.Context, 1)
	s := newServer(g, func(c *Config) { c.Clock = h.now })
	g.onOpen = func(*policy.Case) policy.Verdict {
		h.advance(200 * time.Millisecond)
		cancel()
		<-(<-streams).Done() // the reset has arrived
		return allow()
	}
	server := grpc.NewServer(ServerOptions()...)
	server.RegisterService(&service, observed{s, streams})
	go server.Serve(l)
	conn, err := grpc.NewClient("unix://"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := talk(t, ctx, conn, words["rqh$"]); err == nil {
		t.Error("an answer although the stream was reset")
	}
	server.GracefulStop() // waits for the handler
	if st := s.Stats(); st.Late != 1 || st.LateAfter != 200*time.Millisecond || st.Silent != 0 {
		t.Errorf("%+v", st)
	}
}

func TestClockRunsOnAfterAStepBack(t *testing.T) {
	wall := morning
	c := clock{read: func() time.Time { return wall }}
	f := func(set, want, ahead time.Duration) {
		t.Helper()
		wall = morning.Add(set)
		if got := c.now().Sub(morning); got != want {
			t.Errorf("the system's clock at %v: %v, want %v", set, got, want)
		}
		if got := time.Duration(c.ahead.Load()); got != ahead {
			t.Errorf("the system's clock at %v: ahead by %v, want %v", set, got, ahead)
		}
	}
	const h, s = time.Hour, time.Second
	f(h, h, 0)
	f(h-s, h, 0) // overtaken
	f(0, h, h)   // set back
	f(10*s, h+10*s, h)
	f(9*s, h+10*s, h)
	f(-h, h+10*s, 2*h+10*s)
	f(-h+s, h+11*s, 2*h+10*s)
	f(h+12*s, h+12*s, 0) // set right
	f(h+13*s, h+13*s, 0)
}
