package extproc

import (
	"maps"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// line is a log entry of an answer with our mark; status 0: none was sent.
func line(t testing.TB, id string, awaited bool, status uint32, bytes uint64, change ...func(*datav3.HTTPAccessLogEntry)) *datav3.HTTPAccessLogEntry {
	fields := map[string]any{"id": id, "score": 1.5, "action": "allow", "mode": "enforce"}
	if awaited {
		fields["awaited"] = true
	}
	e := &datav3.HTTPAccessLogEntry{
		CommonProperties: &datav3.AccessLogCommon{
			Metadata:                    &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{namespace: structOf(t, fields)}},
			Duration:                    durationpb.New(80 * time.Millisecond),
			TimeToLastDownstreamTxByte:  durationpb.New(70 * time.Millisecond),
			AccessLogType:               datav3.AccessLogType_DownstreamEnd,
			UpstreamRequestAttemptCount: 1,
			ResponseFlags:               &datav3.ResponseFlags{},
		},
		Request:  &datav3.HTTPRequestProperties{RequestMethod: corev3.RequestMethod_GET, Path: "/v1/orders", RequestBodyBytes: 12},
		Response: &datav3.HTTPResponseProperties{ResponseBodyBytes: bytes, ResponseCodeDetails: viaUpstream},
	}
	if status != 0 {
		e.Response.ResponseCode = wrapperspb.UInt32(status)
	}
	if id == "" {
		e.CommonProperties.Metadata = nil
	}
	for _, f := range change {
		f(e)
	}
	return e
}

func flagged(set func(*datav3.ResponseFlags)) func(*datav3.HTTPAccessLogEntry) {
	return func(e *datav3.HTTPAccessLogEntry) { set(e.CommonProperties.ResponseFlags) }
}

func batch(entries ...*datav3.HTTPAccessLogEntry) *alsv3.StreamAccessLogsMessage {
	return &alsv3.StreamAccessLogsMessage{LogEntries: &alsv3.StreamAccessLogsMessage_HttpLogs{
		HttpLogs: &alsv3.StreamAccessLogsMessage_HTTPAccessLogEntries{LogEntry: entries},
	}}
}

// tells gives the server's reader one batch.
func tells(t testing.TB, s *Server, entries ...*datav3.HTTPAccessLogEntry) {
	t.Helper()
	b, err := proto.Marshal(batch(entries...))
	if err != nil {
		t.Fatal(err)
	}
	var m logMessage
	m.decode(mem.BufferSlice{mem.SliceBuffer(b)})
	r := &logReader{server: s}
	r.read(&m)
	m.clear()
}

// resultsOf are the results that were counted, without those that were not.
func resultsOf(s *Server) map[string]int {
	m := map[string]int{}
	for i, c := range s.metrics.entries {
		if n := counted(c); n > 0 {
			m[resultNames[i]] = int(n)
		}
	}
	return m
}

// leanly runs one exchange whose end is left to the log, and returns its id.
func leanly(t testing.TB, s *Server, words ...string) string {
	t.Helper()
	if words == nil {
		words = []string{"rqh"}
	}
	stream := &script{messages: encodeWords(t, words)}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	return awaitedID(t, stream)
}

// awaitedID is the id in the first answer, which must say that the end is
// awaited from the log, and ask for nothing.
func awaitedID(t testing.TB, stream *script) string {
	t.Helper()
	r := stream.answers[0]
	all, _ := r.GetDynamicMetadata().AsMap()[namespace].(map[string]any)
	id, _ := all["id"].(string)
	if all["awaited"] != true || len(id) != 32 || r.ModeOverride != nil {
		t.Fatalf("not left to the log: %v", r)
	}
	return id
}

func leanServer(g Gate, change func(*Config)) *Server {
	return newServer(g, func(c *Config) {
		c.Depth = DepthLean
		if change != nil {
			change(c)
		}
	})
}

// TestToldEnds: what an entry tells is what the Gate hears.
func TestToldEnds(t *testing.T) {
	type seen struct {
		End           scoring.End
		Status        int
		Bytes, Upload int64
		Took          time.Duration
		Answers       int
	}
	f := func(name string, e *datav3.HTTPAccessLogEntry, want seen) {
		t.Helper()
		var got seen
		g := &fakeGate{}
		g.onAnswer = func(c *policy.Case) policy.Verdict {
			got.Answers++
			if !c.Told {
				t.Errorf("%s: the Gate does not know that it is told", name)
			}
			return allow()
		}
		g.onClose = func(c *policy.Case, end scoring.End) {
			ex := &c.Exchange
			got.End, got.Status, got.Bytes, got.Upload, got.Took = end, ex.Status, ex.ResponseBytes, ex.RequestBytes, ex.Duration
			if string(ex.Path) != "/v1/orders" || len(ex.Headers) != 0 || ex.Records != -1 {
				t.Errorf("%s: the request is not what it was: %q", name, ex.Path)
			}
		}
		s := leanServer(g, nil)
		id := leanly(t, s)
		if st := s.Stats(); st.Open != 1 || st.Awaited != 1 || len(g.closed) != 0 {
			t.Fatalf("%s: not awaited: %+v", name, st)
		}
		e.CommonProperties.Metadata.FilterMetadata[namespace].Fields["id"] = structpb.NewStringValue(id)
		tells(t, s, e)
		g.check(t)
		if got != want {
			t.Errorf("%s: %+v, not %+v", name, got, want)
		}
		if n := resultsOf(s)["closed"]; n != 1 || s.Stats().Open != 0 {
			t.Errorf("%s: %v, %d open", name, resultsOf(s), s.Stats().Open)
		}
	}
	const took = 70 * time.Millisecond
	f("answered", line(t, "?", true, 200, 1234), seen{scoring.Answered, 200, 1234, 12, took, 1})
	f("refused by the upstream", line(t, "?", true, 401, 9), seen{scoring.Answered, 401, 9, 12, took, 1})
	f("no body", line(t, "?", true, 204, 0), seen{scoring.Answered, 204, 0, 12, took, 1})
	f("client gone before the answer", line(t, "?", true, 0, 0, flagged(func(f *datav3.ResponseFlags) { f.DownstreamConnectionTermination = true })),
		seen{scoring.Unknown, 0, -1, 12, took, 0})
	f("client gone in the middle", line(t, "?", true, 200, 500, flagged(func(f *datav3.ResponseFlags) { f.DownstreamRemoteReset = true })),
		seen{scoring.Unknown, 200, 500, 12, took, 1})
	f("upstream gone in the middle", line(t, "?", true, 200, 500, flagged(func(f *datav3.ResponseFlags) { f.UpstreamRemoteReset = true })),
		seen{scoring.Unknown, 200, 500, 12, took, 1})
	f("upstream gone before", line(t, "?", true, 503, 95, flagged(func(f *datav3.ResponseFlags) { f.UpstreamConnectionTermination = true })),
		seen{scoring.Answered, 503, 95, 12, took, 1})
	f("an upgrade", line(t, "?", true, 101, 70_000, flagged(func(f *datav3.ResponseFlags) { f.DownstreamConnectionTermination = true })),
		seen{scoring.Answered, 101, 70_000, 12, took, 1})
	f("gRPC", line(t, "?", true, 200, 5, func(e *datav3.HTTPAccessLogEntry) {
		e.Response.ResponseTrailers = map[string]string{"grpc-status": "16"}
	}), seen{scoring.Answered, 401, 5, 12, took, 1})
	f("without the last byte", line(t, "?", true, 200, 5, func(e *datav3.HTTPAccessLogEntry) { e.CommonProperties.TimeToLastDownstreamTxByte = nil }),
		seen{scoring.Answered, 200, 5, 12, 80 * time.Millisecond, 1})
}

// TestEntries: what is counted as what, and that nothing else happens.
func TestEntries(t *testing.T) {
	clock := newHands()
	g := &fakeGate{}
	s := leanServer(g, func(c *Config) { c.Clock = clock.now })
	f := func(name, want string, e *datav3.HTTPAccessLogEntry) {
		t.Helper()
		before := resultsOf(s)[want]
		tells(t, s, e)
		if resultsOf(s)[want] != before+1 {
			t.Errorf("%s is not %s: %v", name, want, resultsOf(s))
		}
	}
	id := leanly(t, s)
	//lint:ignore SA1019 another Envoy may still say it this way
	older := func(e *datav3.HTTPAccessLogEntry) { e.CommonProperties.IntermediateLogEntry = true }
	for name, change := range map[string]func(*datav3.HTTPAccessLogEntry){
		"the start": func(e *datav3.HTTPAccessLogEntry) {
			e.CommonProperties.AccessLogType = datav3.AccessLogType_DownstreamStart
		},
		"an attempt": func(e *datav3.HTTPAccessLogEntry) {
			e.CommonProperties.AccessLogType = datav3.AccessLogType_UpstreamEnd
		},
		"as it once was": older,
	} {
		f(name, "intermediate", line(t, id, true, 200, 5, change))
	}
	f("the end", "closed", line(t, id, true, 200, 5))
	f("the end again", "duplicate", line(t, id, true, 200, 5))
	f("of another process", "unknown", line(t, "00112233445566778899aabbccddeeff", true, 200, 5))
	f("seen on the stream", "known", line(t, "00112233445566778899aabbccddeeff", false, 200, 5))
	f("never judged", "unprotected", line(t, "", false, 200, 5))
	put := func(e *datav3.HTTPAccessLogEntry) { // off, and no more
		fields := e.CommonProperties.Metadata.FilterMetadata[namespace].Fields
		maps.DeleteFunc(fields, func(name string, _ *structpb.Value) bool { return name != "id" })
	}
	f("put off, and its client gone", "known", line(t, "00112233445566778899aabbccddeeff", false, 0, 0, put))
	f("put off, and answered", "unprotected", line(t, "00112233445566778899aabbccddeeff", false, 200, 5, put))
	f("not an id of ours", "unprotected", line(t, "x", true, 200, 5))
	f("too large a header", "local_reply", line(t, "", false, 431, 5, func(e *datav3.HTTPAccessLogEntry) {
		e.CommonProperties.UpstreamRequestAttemptCount = 0
		e.Response.ResponseCodeDetails = "http1.headers_too_large"
	}))
	refused := func(e *datav3.HTTPAccessLogEntry) {
		e.CommonProperties.UpstreamRequestAttemptCount = 0
		e.Response.ResponseCodeDetails = "rbac_access_denied_matched_policy[wonted-quarantine]"
	}
	f("in quarantine", "blocked", line(t, "", false, 403, 19, refused))
	f("refused by the rule of others", "local_reply", line(t, "", false, 403, 19, refused, func(e *datav3.HTTPAccessLogEntry) {
		e.Response.ResponseCodeDetails = "rbac_access_denied_matched_policy[office-only]"
	}))
	var m logMessage
	m.decode(mem.BufferSlice{mem.SliceBuffer([]byte{0x12, 0x02, 0x0a, 0x09})})
	(&logReader{server: s}).read(&m)
	if n := resultsOf(s)["unreadable"]; n != 1 {
		t.Errorf("%v", resultsOf(s))
	}
	g.check(t)
	if len(g.opened) != 1 || g.ends()[scoring.Answered] != 1 {
		t.Errorf("%d opened, %v", len(g.opened), g.ends())
	}
	if st := s.Stats(); st.Unprotected != 3 || st.Entries != 14 || counted(s.metrics.unprotected) != 3 {
		t.Errorf("%+v", st)
	}
	clock.advance(time.Hour)
	if n := s.Stats().Unprotected; n != 0 {
		t.Errorf("%d after an hour of quiet", n)
	}
}

// TestUntold: an exchange that nobody tells of is closed as unknown, later
// while a log is connected, and judged anew when it is told after all.
func TestUntold(t *testing.T) {
	clock := newHands()
	g := &fakeGate{}
	s := leanServer(g, func(c *Config) { c.Clock = clock.now })
	s.log.streams.Store(1)
	id := leanly(t, s)
	clock.advance(DefaultDeadline - time.Second)
	if n := s.Sweep(clock.now()); n != 0 {
		t.Errorf("%d closed too early", n)
	}
	clock.advance(2 * time.Second)
	if n := s.Sweep(clock.now()); n != 1 || g.ends()[scoring.Unknown] != 1 {
		t.Errorf("%d closed, %v", n, g.ends())
	}
	if st := s.Stats(); st.Open != 0 || st.Lost != 1 {
		t.Errorf("%+v", st)
	}
	if n := s.Sweep(clock.now()); n != 0 {
		t.Errorf("%d closed twice", n)
	}
	var again *policy.Case
	g.onOpen = func(c *policy.Case) policy.Verdict {
		again = c
		if !c.Told || string(c.Exchange.Path) != "/v1/orders" || c.Exchange.ID.String() == id {
			t.Errorf("opened again as %+v", c.Exchange)
		}
		return allow()
	}
	tells(t, s, line(t, id, true, 200, 1<<40))
	tells(t, s, line(t, id, true, 200, 1<<40))
	if again == nil || g.last.ResponseBytes != 1<<40 {
		t.Error("what a client takes slowly does not count")
	}
	g.check(t)
	if e := g.ends(); e[scoring.Answered] != 1 || e[scoring.Unknown] != 1 {
		t.Errorf("%v", e)
	}
	if got := resultsOf(s); got["late"] != 1 || got["duplicate"] != 1 || counted(s.metrics.open) != 0 {
		t.Errorf("%v", got)
	}

	// Without a log it waits for less.
	g.onOpen = nil
	s.log.streams.Store(0)
	id = leanly(t, s)
	clock.advance(orphaned + time.Second)
	if n := s.Sweep(clock.now()); n != 1 {
		t.Errorf("%d closed", n)
	}
	// And is forgotten in the end.
	clock.advance(keptLate + time.Second)
	s.Sweep(clock.now())
	tells(t, s, line(t, id, true, 200, 5))
	if got := resultsOf(s)["unknown"]; got != 1 || len(s.open.shards[0].byID) != 0 {
		t.Errorf("%v, %d in the index", resultsOf(s), len(s.open.shards[0].byID))
	}
	g.check(t)
}

// TestAwaitedCapacity: what outlives its stream is bounded, the oldest is closed
// first, and those that are kept for a late entry are bounded as well.
func TestAwaitedCapacity(t *testing.T) {
	g := &fakeGate{}
	s := leanServer(g, func(c *Config) { c.MaxOpen = 64 })
	var ids []string
	for range 40 {
		ids = append(ids, leanly(t, s))
	}
	if st := s.Stats(); st.Awaited != 64/awaitedShare || len(s.open.shards[0].byID) != 64/awaitedShare+64/lateShare {
		t.Errorf("%+v, %d in the index", st, len(s.open.shards[0].byID))
	}
	for _, id := range ids {
		tells(t, s, line(t, id, true, 200, 5))
	}
	if got := resultsOf(s); got["closed"] != 16 || got["late"] != 4 || got["unknown"] != 20 {
		t.Errorf("%v", got)
	}
	g.check(t)
	if n := counted(s.metrics.swept.capacity); n != 24 || s.Stats().Open != 0 || len(s.open.shards[0].byID) != 0 {
		t.Errorf("%v evicted, %+v", n, s.Stats())
	}
}

// TestAnsweredOnTheStream: a filter that sends response headers unasked has
// them judged, and the log is told not to be waited for.
func TestAnsweredOnTheStream(t *testing.T) {
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}
	s := leanServer(g, nil)
	stream := &script{messages: encodeWords(t, []string{"rqh$", "rsh", "rsb", "rsb$"})}
	var id string
	stream.before = func(i int) {
		if i == 3 { // the log is faster than the last chunk
			id = awaitedID(t, stream)
			tells(t, s, line(t, id, true, 200, 5))
		}
	}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	if got := stream.brief(); got != "rqh rsh+body rsb rsb" {
		t.Error(got)
	}
	if m := markOf(t, stream.answers[1], id); m["awaited"] != false {
		t.Errorf("the log still says that it is awaited: %v", m)
	}
	g.check(t)
	if g.ends()[scoring.Answered] != 1 || resultsOf(s)["closed"] != 0 {
		t.Errorf("%v, %v", g.ends(), resultsOf(s))
	}
}

// TestUndeliveredIsNotAwaited: an answer that Envoy did not take leaves no mark
// in its log.
func TestUndeliveredIsNotAwaited(t *testing.T) {
	g := &fakeGate{}
	s := leanServer(g, nil)
	_ = s.process(&script{messages: encodeWords(t, []string{"rqh"}), refuse: 1})
	g.check(t)
	if g.ends()[scoring.Unknown] != 1 || s.Stats().Open != 0 {
		t.Errorf("%v, %+v", g.ends(), s.Stats())
	}
}

// TestRefusedIsNotAwaited: we know how it ended.
func TestRefusedIsNotAwaited(t *testing.T) {
	g := &fakeGate{hooks: hooks{onOpen: always(refusal(policy.Deny, "denied"))}}
	s := leanServer(g, nil)
	stream := &script{messages: encodeWords(t, []string{"rqh"})}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	g.check(t)
	m := markOf(t, stream.answers[0], g.last.ID.String())
	if _, is := m["awaited"]; is || g.ends()[scoring.Refused] != 1 {
		t.Errorf("%v, %v", m, g.ends())
	}
}

// TestPanicCostsOneEntry.
func TestPanicCostsOneEntry(t *testing.T) {
	g := &fakeGate{}
	s := leanServer(g, nil)
	var entries []*datav3.HTTPAccessLogEntry
	for range 3 {
		entries = append(entries, line(t, leanly(t, s), true, 200, 5))
	}
	n := 0
	g.onAnswer = func(*policy.Case) policy.Verdict {
		if n++; n == 2 {
			panic("in the Gate")
		}
		return allow()
	}
	tells(t, s, entries...)
	g.check(t)
	if e := g.ends(); e[scoring.Answered] != 2 || e[scoring.Unknown] != 1 {
		t.Errorf("%v", e)
	}
	if got := resultsOf(s); got["closed"] != 2 || got["panic"] != 1 || counted(s.metrics.panics) != 1 || s.Stats().Open != 0 {
		t.Errorf("%v, %+v", got, s.Stats())
	}
}
