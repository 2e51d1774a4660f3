package extproc

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func bang(*policy.Case) policy.Verdict { panic("bang") }

func unavailable(*policy.Case) policy.Verdict { return refusal(policy.Deny, "unavailable") }

// TestFailures: a panic, or a message that cannot be read, at each phase, under
// both fail modes. What is never to be seen: an unanswered stream that ends
// with nil under fail closed, or a second answer to one message.
func TestFailures(t *testing.T) {
	closing := func(*policy.Case, scoring.End) { panic("bang") }
	f := func(name string, h hooks, fail policy.FailMode, messages, answers string, code codes.Code, panics int) {
		t.Run(name, func(t *testing.T) {
			g := &fakeGate{hooks: h}
			s := newServer(g, func(c *Config) { withOperations(c); c.Fail = fail })
			var all [][]byte
			for _, w := range strings.Fields(messages) {
				if w == "bad" {
					all = append(all, []byte{0x12, 0x09, 0x00})
				} else {
					all = append(all, encodeWords(t, []string{w})...)
				}
			}
			stream := &script{messages: all}
			err := s.process(stream)
			if status.Code(err) != code {
				t.Errorf("ended with %v", err)
			}
			got := []string{}
			for _, a := range stream.answers {
				got = append(got, brief(a))
			}
			if strings.Join(got, " ") != answers {
				t.Errorf("answers %v, not %v", got, answers)
			}
			if n := int(counted(s.metrics.panics)); n != panics {
				t.Errorf("%d panics counted, not %d", n, panics)
			}
			g.check(t)
			if n := s.Stats().Open; n != 0 {
				t.Errorf("%d left in the table", n)
			}
			if n := s.held.Load(); n != 0 {
				t.Errorf("%d bytes of bodies are still held", n)
			}
			// The next exchange is none the worse.
			g.hooks = hooks{}
			next := &script{messages: encodeWords(t, []string{"rqh$", "rsh"})}
			if err := s.process(next); err != nil || len(next.answers) != 2 {
				t.Errorf("the next: %v, %d answers", err, len(next.answers))
			}
			g.check(t)
		})
	}
	const open, closed = policy.FailOpen, policy.FailClosed
	body := always(withBody(allow()))

	f("open: at the request", hooks{onOpen: bang}, open, "rqh$ rsh", "rqh", codes.OK, 1)
	f("open: at the response", hooks{onAnswer: bang}, open, "rqh$ rsh", "rqh+headers rsh", codes.OK, 1)
	f("open: at the body", hooks{onAnswer: body, onMeter: bang}, open, "rqh$ rsh rsb rsb$", "rqh+headers rsh+body rsb", codes.OK, 1)
	f("open: at the end", hooks{onClose: closing}, open, "rqh$ rsh", "rqh+headers rsh", codes.OK, 1)
	f("open: unreadable first", hooks{}, open, "bad rsh", "", codes.OK, 0)
	f("open: unreadable later", hooks{}, open, "rqh bad", "rqh+headers", codes.OK, 0)
	f("open: the Gate cannot even fail", hooks{onOpen: bang, onFail: bang}, open, "rqh$ rsh", "", codes.OK, 2)
	f("open: put off", hooks{onOpen: bang}, open, "call search$ rsh", "rqh+headers,whole rqb", codes.OK, 1)
	f("open: put off, unreadable", hooks{}, open, "call bad", "rqh+headers,whole", codes.OK, 0)
	f("open: put off, and gone", hooks{onOpen: bang}, open, "call", "rqh+headers,whole", codes.OK, 1)
	f("open: put off, and gone in its body", hooks{onOpen: bang}, open, "call? sea", "rqh+headers,upload rqb", codes.OK, 1)
	f("open: put off, and answered in its body", hooks{onOpen: bang}, open, "call? sea rsh", "rqh+headers,upload rqb rsh", codes.OK, 1)

	f("closed: at the request", hooks{onOpen: bang, onFail: unavailable}, closed, "rqh$ rsh", "503:wonted_unavailable", codes.OK, 1)
	f("closed: at the response", hooks{onAnswer: bang, onFail: unavailable}, closed, "rqh$ rsh", "rqh+headers 503:wonted_unavailable", codes.OK, 1)
	f("closed: at the body", hooks{onAnswer: body, onMeter: bang, onFail: unavailable}, closed, "rqh$ rsh rsb rsb$", "rqh+headers rsh+body 503:wonted_cut", codes.OK, 1)
	f("closed: put off", hooks{onOpen: bang, onFail: unavailable}, closed, "call? sea rch$ rsh", "rqh+headers,upload rqb 503:wonted_unavailable", codes.OK, 1)
	f("closed: put off, unreadable", hooks{onFail: unavailable}, closed, "call bad", "rqh+headers,whole 503:wonted_unavailable", codes.OK, 0)
	f("closed: put off, the Gate cannot even fail", hooks{onOpen: bang, onFail: bang}, closed, "call search$", "rqh+headers,whole", codes.Internal, 2)
	f("closed: at the end", hooks{onClose: closing, onFail: unavailable}, closed, "rqh$ rsh", "rqh+headers rsh", codes.OK, 1)
	f("closed: unreadable first", hooks{onFail: unavailable}, closed, "bad rsh", "503:wonted_unavailable", codes.OK, 0)
	f("closed: unreadable later", hooks{onFail: unavailable}, closed, "rqh bad", "rqh+headers 503:wonted_unavailable", codes.OK, 0)
	f("closed: unreadable when all is over", hooks{}, closed, "rqh rsh bad", "rqh+headers rsh", codes.Internal, 0)
	f("closed: unreadable, and not our exchange", hooks{}, closed, "rsh bad", "rsh", codes.Internal, 0)
	f("closed: the Gate cannot even fail", hooks{onOpen: bang, onFail: bang}, closed, "rqh$ rsh", "", codes.Internal, 2)
	f("closed, shadow: the Gate cannot even fail", hooks{onOpen: func(*policy.Case) policy.Verdict {
		v := allow()
		v.Mode = policy.Shadow
		return v
	}, onAnswer: bang, onFail: bang}, closed, "rqh$ rsh", "rqh+headers", codes.OK, 2)
}

// TestForgeriesAreStrippedEvenThen: a request that is waved through unjudged
// carries no header in wonted's name either.
func TestForgeriesAreStrippedEvenThen(t *testing.T) {
	s := newServer(&fakeGate{hooks: hooks{onOpen: bang}}, nil)
	forged := marshal(t, rq(lines(":method", "GET", ":path", "/", "x-wonted-score", "0"), true))
	stream := &script{messages: [][]byte{forged}}
	if err := s.process(stream); err != nil || len(stream.answers) != 1 {
		t.Fatalf("%v, %d answers", err, len(stream.answers))
	}
	got := stream.answers[0].GetRequestHeaders().GetResponse().GetHeaderMutation().GetRemoveHeaders()
	if len(got) != 1 || got[0] != "x-wonted-score" {
		t.Errorf("removed %v", got)
	}
}

// TestPanicWhileReceiving costs the exchange like any other.
func TestPanicWhileReceiving(t *testing.T) {
	for _, fail := range []policy.FailMode{policy.FailOpen, policy.FailClosed} {
		g := &fakeGate{}
		if fail == policy.FailClosed {
			g.onFail = unavailable
		}
		s := newServer(g, func(c *Config) { c.Fail = fail })
		stream := &script{messages: encodeWords(t, []string{"rqh", "rsh"}), before: func(i int) {
			if i == 1 {
				panic("bang")
			}
		}}
		err := s.process(stream)
		want := "rqh+headers"
		if fail == policy.FailClosed {
			want += " 503:wonted_unavailable"
		}
		var got []string
		for _, a := range stream.answers {
			got = append(got, brief(a))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%v: %v, %v", fail, got, err)
		}
		g.check(t)
	}
}

// TestUnsentAnswer: what could not be delivered did not happen.
func TestUnsentAnswer(t *testing.T) {
	f := func(h hooks, messages string, refuse int) {
		t.Helper()
		g := &fakeGate{hooks: h}
		s := newServer(g, nil)
		stream := &script{messages: encodeWords(t, strings.Fields(messages)), refuse: refuse}
		if err := s.process(stream); err != errGone {
			t.Errorf("ended with %v", err)
		}
		g.check(t)
		if n := g.ends()[scoring.Unknown]; n != 1 {
			t.Errorf("%s, answer %d lost: %v", messages, refuse, g.ends())
		}
	}
	f(hooks{}, "rqh$ rsh", 1)
	f(hooks{}, "rqh$ rsh", 2)
	f(hooks{onOpen: always(refusal(policy.Deny, "denied"))}, "rqh$", 1)
	f(hooks{onAnswer: always(withBody(allow()))}, "rqh$ rsh rsb rsb$", 4)
}

// TestPanicsAreLogged, but not a line each.
func TestPanicsAreLogged(t *testing.T) {
	var out bytes.Buffer
	g := &fakeGate{hooks: hooks{onOpen: bang}}
	s := newServer(g, func(c *Config) { c.Log = zerolog.New(&out) })
	for range 50 {
		_ = s.process(&script{messages: encodeWords(t, []string{"rqh"})})
	}
	lines := strings.Count(out.String(), "\n")
	if lines < 1 || lines > 5 || !strings.Contains(out.String(), "bang") || !strings.Contains(out.String(), "failure_test.go") {
		t.Errorf("%d lines: %s", lines, out.String())
	}
	if n := counted(s.metrics.panics); n != 50 {
		t.Errorf("%v panics counted", n)
	}
}

// TestObserved: in observability mode nothing is answered or refused, and the
// stream ends with the exchange.
func TestObserved(t *testing.T) {
	f := func(name string, h hooks, messages string, given int, end scoring.End) {
		t.Helper()
		g := &fakeGate{hooks: h}
		s := newServer(g, nil)
		stream := &script{}
		for _, w := range strings.Fields(messages) {
			// A flag appended to an encoded message is merged into it.
			stream.messages = append(stream.messages, appendVarint(encodeWords(t, []string{w})[0], 10, 1))
		}
		if err := s.process(stream); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(stream.answers) != 0 || stream.given != given || g.ends()[end] != 1 {
			t.Errorf("%s: %d answers, %d messages read, ends %v", name, len(stream.answers), stream.given, g.ends())
		}
		g.check(t)
	}
	body := always(withBody(allow()))
	f("no body wanted", hooks{}, "rqh$ rsh", 2, scoring.Answered)
	f("body", hooks{onAnswer: body}, "rqh$ rsh rsb rsb$ rst", 4, scoring.Answered)
	f("body wanted, none sent", hooks{onAnswer: body}, "rqh$ rsh", 2, scoring.Answered)
	f("broken off in the body", hooks{onAnswer: body}, "rqh$ rsh rsb", 3, scoring.Unknown)
	f("would be refused", hooks{onOpen: always(refusal(policy.Deny, "denied"))}, "rqh$ rsh", 2, scoring.Answered)
	f("would be cut", hooks{onAnswer: body, onMeter: always(refusal(policy.Deny, "budget"))}, "rqh$ rsh rsb rsb$", 4, scoring.Answered)
	f("panic", hooks{onAnswer: bang}, "rqh$ rsh", 2, scoring.Unknown)
}
