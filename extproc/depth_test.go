package extproc

import (
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// TestAdaptive: lean where the Gate does not want the response and the log is
// known to bring our ids back; headers otherwise.
func TestAdaptive(t *testing.T) {
	clock := newHands()
	wanted := false
	g := &fakeGate{hooks: hooks{onOpen: func(*policy.Case) policy.Verdict {
		v := allow()
		v.Headers = wanted
		return v
	}}}
	s := newServer(g, func(c *Config) { c.Depth, c.Clock = DepthAdaptive, clock.now })
	f := func(name, want string) (id string) {
		t.Helper()
		clock.advance(time.Millisecond)
		stream := &script{messages: encodeWords(t, []string{"rqh$"})}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if got := stream.brief(); got != want {
			t.Errorf("%s: %s", name, got)
		}
		all, _ := stream.answers[0].DynamicMetadata.AsMap()[namespace].(map[string]any)
		id, _ = all["id"].(string)
		return id
	}
	const lean, headers = "rqh", "rqh+headers"
	known := func(id string) { tells(t, s, line(t, id, false, 200, 5)) }

	known(f("no log", headers))
	f("an entry, and no connection", headers)
	s.log.streams.Store(1)
	id := f("both", lean)
	wanted = true
	f("the Gate wants the response", headers)
	wanted = false
	clock.advance(fresh)
	f("a log that fell silent", headers)
	tells(t, s, line(t, "", false, 200, 5))
	f("a log without ids", headers)
	tells(t, s, line(t, "00112233445566778899aabbccddeeff", true, 200, 5))
	f("a log with ids of nobody", headers)
	tells(t, s, line(t, id, true, 200, 5))
	second := f("a log that tells of ours", lean)
	s.log.streams.Store(0)
	f("disconnected", headers)
	tells(t, s, line(t, second, true, 200, 5)) // what it had sent before
	g.check(t)
	if e := g.ends(); e[scoring.Answered] != 2 || e[scoring.Unknown] != 7 {
		t.Errorf("%v", e)
	}
}

// TestLeanKeepsOff where it would be told nothing, or Envoy ignores what it
// asks for.
func TestLeanKeepsOff(t *testing.T) {
	f := func(name string, change func(*session), depth Depth, want bool) {
		t.Helper()
		s := &session{server: newServer(&fakeGate{}, func(c *Config) { c.Depth = depth })}
		change(s)
		if got := s.lean(allow(), morning); got != want {
			t.Errorf("%s: lean %v", name, got)
		}
	}
	nothing := func(*session) {}
	f("lean", nothing, DepthLean, true)
	f("headers", nothing, DepthHeaders, false)
	f("bodies", nothing, DepthBodies, false)
	f("log, and a stream all the same", nothing, DepthLog, false)
	f("observed", func(s *session) { s.observed = true }, DepthLean, false)
	f("full duplex", func(s *session) { s.modes.request = bodyDuplex }, DepthLean, false)
}
