package extproc

import (
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// The proxy's span is told with an exchange, also when it is opened again, and
// only where somebody asks; the next exchange on the session knows nothing of it.
func TestTraceparent(t *testing.T) {
	const span = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	f := func(traced bool, told string, want string) {
		t.Helper()
		clock := newHands()
		var got []string
		g := &fakeGate{hooks: hooks{onClose: func(c *policy.Case, _ scoring.End) { got = append(got, c.Traceparent) }}}
		s := newServer(g, func(c *Config) { c.Traced, c.Clock = traced, clock.now })
		stream := &script{messages: encodeWords(t, []string{"rqh", "rsh$"})}
		if told != "" {
			stream.ctx = metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", told))
		}
		stream.before = func(i int) {
			if i == 1 {
				clock.advance(time.Hour)
				s.Sweep(clock.now())
			}
		}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("traced %v, told %q: closed with %q", traced, told, got)
		}
	}
	f(true, span, span)
	f(true, "", "")
	f(false, span, "")
}
