package extproc

import (
	"strings"
	"testing"
	"time"

	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

const search = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}`

func init() {
	call := func(eos bool, more ...string) *extprocv3.ProcessingRequest {
		return rq(lines(append([]string{":method", "POST", ":path", "/mcp", "content-type", "application/json", "x-wonted-forged", "1"}, more...)...), eos)
	}
	for word, m := range map[string]*extprocv3.ProcessingRequest{
		"call":    call(false, "content-length", "73"),
		"call20k": call(false, "content-length", "20000"),
		"call70k": call(false, "content-length", "70000"),
		"call?":   call(false),
		"call$":   call(true),
		"zipped":  call(false, "content-encoding", "gzip"),
		"signin":  rq(lines(":method", "POST", ":path", "/login/rpc", "content-type", "application/json"), false),
		"search":  upload(search, false),
		"search$": upload(search, true),
		"sea":     upload(search[:30], false),
		"rch":     upload(search[30:], false),
		"rch$":    upload(search[30:], true),
		"junk$":   upload("\xff\xfe", true),
		"pad":     upload(`{"method":"ping","pad":"`+strings.Repeat("x", mostBody)+`"`, false),
	} {
		if _, there := words[word]; there {
			panic(word)
		}
		words[word] = m
	}
}

// operations is a Scorer that is asked for nothing but operations.
func operations() *scoring.Scorer {
	return scoring.New(scoring.Config{Store: profile.New(profile.Config{Memory: profile.MinMemory})})
}

func withOperations(c *Config) { c.Operations = operations() }

// A request that tells in its body what it asks for is judged when it has told,
// once, before its body goes on.
func TestOperations(t *testing.T) {
	const none = "-"
	f := func(name string, h hooks, messages, answers, operation string, end scoring.End, change ...func(*Config)) {
		t.Helper()
		g := &fakeGate{hooks: h}
		var opened []string
		open := g.onOpen
		g.onOpen = func(c *policy.Case) policy.Verdict {
			opened = append(opened, c.Exchange.Operation)
			return g.call(c, open)
		}
		s := newServer(g, func(c *Config) {
			withOperations(c)
			for _, f := range change {
				f(c)
			}
		})
		stream := &script{messages: encodeWords(t, strings.Fields(messages))}
		if err := s.process(stream); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := stream.brief(); got != answers {
			t.Errorf("%s: answered %s, want %s", name, got, answers)
		}
		if want := strings.Fields(strings.ReplaceAll(operation, none, "")); len(opened) != 1 || opened[0] != strings.Join(want, "") {
			t.Errorf("%s: opened for %q, want %s", name, opened, operation)
		}
		if g.ends()[end] != 1 {
			t.Errorf("%s: ended as %v", name, g.ends())
		}
		if s.held.Load() != 0 {
			t.Errorf("%s: %d bytes are held", name, s.held.Load())
		}
		g.check(t)
	}
	const searches = "tools/call/search"
	denied := hooks{onOpen: always(refusal(policy.Deny, "denied"))}
	f("whole", hooks{}, "call search$ rsh", "rqh+headers,whole rqb rsh", searches, scoring.Answered)
	f("whole, with trailers", hooks{}, "call search rqt rsh", "rqh+headers,whole rqb rqt rsh", searches, scoring.Answered)
	f("whole, denied", denied, "call search$", "rqh+headers,whole 403:wonted_deny", searches, scoring.Refused)
	f("of unknown length", hooks{}, "call? search$ rsh", "rqh+headers,upload rqb rsh", searches, scoring.Answered)
	f("in chunks", hooks{}, "call? sea rch$ rsh", "rqh+headers,upload rqb rqb rsh", searches, scoring.Answered)
	f("in chunks, denied", denied, "call? sea rch$", "rqh+headers,upload rqb 403:wonted_deny", searches, scoring.Refused)
	f("in chunks, ended by trailers", denied, "call? sea rch rqt", "rqh+headers,upload rqb rqb 403:wonted_deny", searches, scoring.Refused)
	f("long", denied, "call20k search$", "rqh+headers,upload 403:wonted_deny", searches, scoring.Refused)
	f("declared too long", hooks{}, "call70k rsh", "rqh+headers rsh", none, scoring.Answered)
	f("too long", denied, "call? pad", "rqh+headers,upload 403:wonted_deny", none, scoring.Refused)
	f("too long, more behind it", hooks{}, "call? pad search$ rsh", "rqh+headers,upload rqb rqb rsh", none, scoring.Answered)
	f("unreadable", denied, "call junk$", "rqh+headers,whole 403:wonted_deny", none, scoring.Refused)
	f("no body", denied, "call$", "403:wonted_deny", none, scoring.Refused)
	f("compressed", denied, "zipped", "403:wonted_deny", none, scoring.Refused)
	f("answered before its body", hooks{}, "call? rsh", "rqh+headers,upload rsh", none, scoring.Answered)
	f("answered before its body, denied", denied, "call? sea rsh", "rqh+headers,upload rqb 403:wonted_deny", none, scoring.Refused)
	f("gone before its body", hooks{}, "call", "rqh+headers,whole", none, scoring.Unknown)
	f("gone in its body", hooks{}, "call? sea", "rqh+headers,upload rqb", none, scoring.Unknown)
	f("another request", hooks{}, "order rsh", "rqh+headers rsh", none, scoring.Answered)
	f("bodies", hooks{}, "call search$ rsh", "rqh+headers,whole rqb rsh+body", searches, scoring.Unknown, func(c *Config) { c.Depth = DepthBodies })
	f("adaptive", hooks{}, "call search$ rsh", "rqh+headers,whole rqb rsh", searches, scoring.Answered, func(c *Config) { c.Depth = DepthAdaptive })
	f("lean", denied, "call", "403:wonted_deny", none, scoring.Refused, func(c *Config) { c.Depth = DepthLean })
	f("contested", denied, "call", "403:wonted_deny", none, scoring.Refused, func(c *Config) { c.Identity = disputed{} })
	f("nobody to read it", denied, "call", "403:wonted_deny", none, scoring.Refused, func(c *Config) { c.Operations = nil })
}

// disputed resolves everybody as contested.
type disputed struct{ nobody }

func (disputed) Resolve(ex *scoring.Exchange) { ex.Contested = true }

// Where our demands are not heeded, nothing is put off.
func TestOperationsWhereBodiesDoNotCome(t *testing.T) {
	play := func(s *Server, messages ...string) string {
		t.Helper()
		stream := &script{messages: encodeWords(t, messages)}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		return stream.brief()
	}
	f := func(without ...string) {
		t.Helper()
		s := newServer(&fakeGate{hooks: hooks{onOpen: always(refusal(policy.Deny, "denied"))}}, withOperations)
		play(s, without...)
		if got := play(s, "call"); got != "403:wonted_deny" {
			t.Errorf("%v: then answered %s", without, got)
		}
		s.gate = &fakeGate{}
		play(s, "call", "rsh")
		if n := s.Stats().Bodiless; n != 2 {
			t.Errorf("%v: %d bodies have not come", without, n)
		}
		if got := play(s, "call", "search$", "rsh"); got != "rqh+headers,upload rqb rsh" { // judged, and tried
			t.Errorf("%v: tried with %s", without, got)
		}
		if got := play(s, "call", "search$", "rsh"); got != "rqh+headers,whole rqb rsh" {
			t.Errorf("%v: mended, answered %s", without, got)
		}
		play(s, "call") // a client that goes away is no reason to doubt any more
		if got := play(s, "call", "search$", "rsh"); got != "rqh+headers,whole rqb rsh" {
			t.Errorf("%v: after another answered %s", without, got)
		}
		if n := s.Stats().Bodiless; n != 0 {
			t.Errorf("%v: %d bodies have not come, and some have", without, n)
		}
	}
	f("call", "rsh")
	f("call")

	s := newServer(&fakeGate{}, withOperations)
	stream := &script{messages: configure(t, encodeWords(t, []string{"call", "rsh"}), filterv3.ProcessingMode_NONE, filterv3.ProcessingMode_FULL_DUPLEX_STREAMED)}
	if err := s.process(stream); err != nil || strings.Contains(stream.brief(), "+") {
		t.Errorf("in full duplex: %v, %s", err, stream.brief())
	}
}

// It counts for the moment at which it told, and what was forged is removed at
// once.
func TestWhenAnOperationCounts(t *testing.T) {
	clock := newHands()
	var at time.Time
	g := &fakeGate{hooks: hooks{onOpen: func(c *policy.Case) policy.Verdict {
		at = c.Exchange.Time
		v := allow()
		v.Request = []policy.HeaderRule{{Name: "x-risk", Value: "low"}}
		return v
	}}}
	s := newServer(g, func(c *Config) { withOperations(c); c.Clock = clock.now })
	f := func(messages string, sets int) {
		t.Helper()
		start := clock.now()
		stream := &script{messages: encodeWords(t, strings.Fields(messages)), before: func(i int) {
			if i == 1 {
				clock.advance(time.Hour)
				if n := s.Sweep(clock.now()); n != 0 {
					t.Errorf("%d were swept that nobody has judged", n)
				}
			}
		}}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if want := start.Add(time.Hour); !at.Equal(want) {
			t.Errorf("it counts for %v, not %v", at, want)
		}
		headers, body := stream.answers[0], stream.answers[1]
		if got := headers.GetRequestHeaders().GetResponse().GetHeaderMutation().GetRemoveHeaders(); len(got) != 1 || got[0] != "x-wonted-forged" {
			t.Errorf("removed %v", got)
		}
		if got := body.GetRequestBody().GetResponse().GetHeaderMutation().GetSetHeaders(); len(got) != sets {
			t.Errorf("%s: set %v", messages, got)
		}
		mark, verdict := headers.GetDynamicMetadata().GetFields()["wonted"].GetStructValue().GetFields(), body.GetDynamicMetadata().GetFields()["wonted"].GetStructValue().GetFields()
		if len(mark) != 1 || mark["id"].GetStringValue() == "" || verdict["id"].GetStringValue() != mark["id"].GetStringValue() || verdict["action"].GetStringValue() != "allow" {
			t.Errorf("the log is told %v, then %v", mark, verdict)
		}
	}
	f("call search$ rsh", 1)
	f("call? search$ rsh", 0) // the headers have gone on
	g.check(t)
}

// What was swept while its response was awaited is judged anew by the same
// operation, and a sign-in among operations is an attempt.
func TestOperationsSweptAndSignedIn(t *testing.T) {
	clock, g := newHands(), &fakeGate{}
	var opened []string
	g.onOpen = func(c *policy.Case) policy.Verdict {
		opened = append(opened, c.Exchange.Operation)
		return allow()
	}
	tried := g.attempts()
	s := newServer(g, func(c *Config) { withOperations(c); withSignIns(t)(c); c.Clock = clock.now })
	stream := &script{messages: encodeWords(t, []string{"signin", "bob", "rsh"}), before: func(i int) {
		if i == 2 {
			clock.advance(2 * DefaultDeadline)
			s.Sweep(clock.now())
		}
	}}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	if len(*tried) != 2 || (*tried)[0].User != (*tried)[1].User {
		t.Errorf("attempts %v", *tried)
	}
	stream = &script{messages: encodeWords(t, []string{"call", "search$", "rsh"}), before: stream.before}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	if len(opened) != 4 || opened[2] != "tools/call/search" || opened[3] != opened[2] {
		t.Errorf("opened for %q", opened)
	}
	g.check(t)
}

func BenchmarkOperation(b *testing.B) {
	for _, messages := range []string{"order rsh", "call search$ rsh"} {
		b.Run(strings.Fields(messages)[0], func(b *testing.B) {
			s, l := playable(b, allow(), strings.Fields(messages)...)
			l.messages = l.messages[1:]
			b.ReportAllocs()
			for b.Loop() {
				if err := s.process(l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
