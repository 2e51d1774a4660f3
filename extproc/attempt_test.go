package extproc

import (
	"strings"
	"testing"
	"time"

	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func init() {
	for word, m := range map[string]*extprocv3.ProcessingRequest{
		"login":   rq(lines(":method", "POST", ":path", "/v1/login", "content-type", "application/json"), false),
		"login$":  rq(lines(":method", "POST", ":path", "/v1/login", "content-length", "0"), true),
		"header":  rq(lines(":method", "POST", ":path", "/v1/enter", "x-user", "Bob"), false),
		"order":   rq(lines(":method", "POST", ":path", "/v1/orders", "content-type", "application/json"), false),
		"bob":     upload(`{"username":"bob","password":"secret"}`, true),
		"half":    upload(`{"username":"b`, false),
		"other":   upload(`ob","password":"secret"}`, false),
		"last":    upload(``, true),
		"counted": rq(lines(":method", "POST", ":path", "/v1/login", "content-length", "37"), false),
		"long":    upload(`{"username":"bob","password":"secret","pad":"`+strings.Repeat("x", signin.MaxBody)+`"}`, false),
		"token":   upload(`grant_type=refresh_token`, true),
	} {
		words[word] = m
	}
}

func upload(body string, eos bool) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{
		RequestBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: eos},
	}}
}

// attempts are the exchanges of a gate that tried to sign in.
func (g *fakeGate) attempts() *[]scoring.SignIn {
	var all []scoring.SignIn
	before := g.onAttempt
	g.onAttempt = func(c *policy.Case) policy.Verdict {
		all = append(all, c.Exchange.SignIn)
		return g.call(c, before)
	}
	return &all
}

func withSignIns(t testing.TB, rules ...signin.Rule) func(*Config) {
	t.Helper()
	table, err := signin.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.SignIns = table }
}

// Whose name stands in a body is asked for there, read once, and judged before
// the body goes on.
func TestSignIns(t *testing.T) {
	f := func(name string, h hooks, messages, answers string, attempts int, end scoring.End, rules ...signin.Rule) {
		t.Helper()
		g := &fakeGate{hooks: h}
		tried := g.attempts()
		s := newServer(g, withSignIns(t, rules...))
		stream := &script{messages: encodeWords(t, strings.Fields(messages))}
		if err := s.process(stream); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := stream.brief(); got != answers {
			t.Errorf("%s: answered %s, want %s", name, got, answers)
		}
		if len(*tried) != attempts {
			t.Errorf("%s: %d attempts, want %d", name, len(*tried), attempts)
		}
		for _, a := range *tried {
			if a.User.Lo != 'b'|'o'<<8|'b'<<16 || !a.Success.Hold(200) || a.Success.Hold(401) {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if g.ends()[end] != 1 {
			t.Errorf("%s: ended as %v", name, g.ends())
		}
		g.check(t)
	}
	denied := hooks{onAttempt: always(refusal(policy.Deny, "denied"))}
	f("a sign-in", hooks{}, "login bob rsh", "rqh+headers,upload rqb rsh", 1, scoring.Answered)
	f("in chunks", hooks{}, "login half other last rsh", "rqh+headers,upload rqb rqb rqb rsh", 1, scoring.Answered)
	f("in chunks, refused", denied, "login half other last", "rqh+headers,upload rqb rqb 403:wonted_deny", 1, scoring.Refused)
	f("complete without being the last", denied, "counted half other last", "rqh+headers,upload rqb 403:wonted_deny rqb", 1, scoring.Refused)
	f("too long for a sign-in", hooks{}, "login long last rsh", "rqh+headers,upload rqb rqb rsh", 1, scoring.Answered)
	f("refused", denied, "login bob", "rqh+headers,upload 403:wonted_deny", 1, scoring.Refused)
	f("no sign-in", denied, "login token rsh", "rqh+headers,upload rqb rsh", 0, scoring.Answered)
	f("no body", denied, "login$ rsh", "rqh+headers rsh", 0, scoring.Answered)
	f("answered before its body", denied, "login rsh", "rqh+headers,upload rsh", 0, scoring.Answered)
	f("gone before its body", denied, "login", "rqh+headers,upload", 0, scoring.Unknown)
	f("not a sign-in route", denied, "order rsh", "rqh+headers rsh", 0, scoring.Answered)
	f("another message for good measure", hooks{}, "login bob bob rsh", "rqh+headers,upload rqb rqb rsh", 1, scoring.Answered)
	f("a name in a header", hooks{}, "header rsh", "rqh+headers rsh", 1, scoring.Answered, signin.Rule{Path: "/v1/enter", User: "header:x-user"})
	f("a name in a header, refused", denied, "header", "403:wonted_deny", 1, scoring.Refused, signin.Rule{Path: "/v1/enter", User: "header:x-user"})
	f("declared elsewhere", denied, "login rsh", "rqh+headers rsh", 0, scoring.Answered, signin.Rule{Path: "/v1/enter"})

	louder := hooks{onAttempt: func(c *policy.Case) policy.Verdict {
		c.Exchange.Assessment.Score = 3
		return allow()
	}}
	g := &fakeGate{hooks: louder}
	stream := &script{messages: encodeWords(t, []string{"login", "bob", "rsh"})}
	if err := newServer(g, withSignIns(t)).process(stream); err != nil {
		t.Fatal(err)
	}
	body := stream.answers[1]
	if body.GetDynamicMetadata().GetFields()["wonted"].GetStructValue().GetFields()["score"].GetNumberValue() != 3 {
		t.Errorf("the log is not told: %v", body)
	}
}

// A client that sends its body slowly is swept and judged anew; its name is
// known at the response, too.
func TestSweptSignIns(t *testing.T) {
	for _, before := range []int{1, 2} { // the body; the response
		clock, g := newHands(), &fakeGate{}
		tried := g.attempts()
		s := newServer(g, func(c *Config) { withSignIns(t)(c); c.Clock = clock.now })
		stream := &script{messages: encodeWords(t, []string{"login", "bob", "rsh"}), before: func(i int) {
			if i == before {
				clock.advance(2 * DefaultDeadline)
				s.Sweep(clock.now())
			}
		}}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if got := stream.brief(); got != "rqh+headers,upload rqb rsh" {
			t.Errorf("answered %s", got)
		}
		if len(*tried) != before || len(g.closed) != 2 {
			t.Errorf("swept before %d: %d attempts of %d exchanges", before, len(*tried), len(g.closed))
		}
		g.check(t)
	}
}

// What is held of unfinished bodies is bounded, and given back.
func TestUnfinishedBodiesAreBounded(t *testing.T) {
	g := &fakeGate{}
	tried := g.attempts()
	s := newServer(g, withSignIns(t))
	play := func(messages ...string) {
		t.Helper()
		var during int64
		stream := &script{messages: encodeWords(t, messages), before: func(int) { during = max(during, s.held.Load()) }}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if during == 0 {
			t.Errorf("%v: nothing was held", messages)
		}
	}
	play("login", "half", "other", "last", "rsh")
	play("login", "half")
	if s.held.Load() != 0 || len(*tried) != 1 {
		t.Errorf("%d bytes are held after the end; %d attempts", s.held.Load(), len(*tried))
	}
	s.held.Store(mostHeld)
	play("login", "half", "other", "last", "rsh")
	if s.held.Load() != mostHeld || len(*tried) != 1 {
		t.Errorf("%d bytes are held, %d attempts were read", s.held.Load(), len(*tried))
	}
}

// At the depths without bodies none is asked for, nor where Envoy would not hear.
func TestWhereBodiesAreNotAskedFor(t *testing.T) {
	f := func(name string, depth Depth, messages [][]byte, want bool) {
		t.Helper()
		g := &fakeGate{}
		s := newServer(g, func(c *Config) { withSignIns(t)(c); c.Depth = depth })
		stream := &script{messages: messages}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(stream.brief(), "upload"); got != want {
			t.Errorf("%s: answered %s", name, stream.brief())
		}
	}
	login := encodeWords(t, []string{"login"})
	f("headers", DepthHeaders, login, true)
	f("bodies", DepthBodies, login, true)
	f("adaptive", DepthAdaptive, login, true)
	f("lean", DepthLean, login, false)
	f("full duplex", DepthHeaders, configure(t, encodeWords(t, []string{"login"}), filterv3.ProcessingMode_NONE, filterv3.ProcessingMode_FULL_DUPLEX_STREAMED), false)
}

// Routes are found by what they answer, whoever tells of it.
func TestSignInRoutesAreFound(t *testing.T) {
	g := &fakeGate{hooks: hooks{onOpen: func(c *policy.Case) policy.Verdict {
		c.Exchange.Route.ID, c.Exchange.Route.Known = 7, true
		return allow()
	}}}
	s := newServer(g, withSignIns(t))
	words["401$"] = rs(lines(":status", "401"), true)
	ask := func() string {
		stream := &script{messages: encodeWords(t, []string{"order", "401$"})}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		return stream.brief()
	}
	for i := range 40 {
		if ask() == "rqh+headers,upload rsh" {
			if i < 8 {
				t.Errorf("asked for after %d refusals", i)
			}
			return
		}
	}
	t.Error("a route that refuses everybody is not looked at")
}

func BenchmarkSignIn(b *testing.B) {
	for _, messages := range []string{"order rsh", "login bob rsh"} {
		b.Run(strings.Fields(messages)[0], func(b *testing.B) {
			s, l := playable(b, allow(), strings.Fields(messages)...)
			l.messages = l.messages[1:]
			table, err := signin.New(nil)
			if err != nil {
				b.Fatal(err)
			}
			s.signIns = table
			s.clock.read = time.Now
			b.ReportAllocs()
			for b.Loop() {
				if err := s.process(l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
