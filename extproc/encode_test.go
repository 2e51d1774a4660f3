package extproc

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// same compares bytes written by hand with the message that is meant.
func same(t *testing.T, got []byte, want *extprocv3.ProcessingResponse) {
	t.Helper()
	r := &extprocv3.ProcessingResponse{}
	if err := proto.Unmarshal(got, r); err != nil {
		t.Fatalf("%v in %x", err, got)
	}
	if diff := cmp.Diff(want, r, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(r.ProtoReflect().GetUnknown()) > 0 {
		t.Error("unknown fields")
	}
	if err := r.ValidateAll(); err != nil {
		t.Error(err)
	}
}

func wire(r *reply) []byte { return r.data.Materialize() }

func TestHarmlessReplies(t *testing.T) {
	same(t, wire(harmless[kindRequestHeaders]), &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}}})
	same(t, wire(harmless[kindResponseHeaders]), &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extprocv3.HeadersResponse{}}})
	same(t, wire(harmless[kindRequestBody]), &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{}}})
	same(t, wire(harmless[kindResponseBody]), &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: &extprocv3.BodyResponse{}}})
	same(t, wire(harmless[kindRequestTrailers]), &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: &extprocv3.TrailersResponse{}}})
	same(t, wire(harmless[kindResponseTrailers]), &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_ResponseTrailers{ResponseTrailers: &extprocv3.TrailersResponse{}}})
	same(t, wire(streamed), &extprocv3.ProcessingResponse{
		Response:     &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extprocv3.HeadersResponse{}},
		ModeOverride: streaming,
	})
}

var (
	sendHeaders = &filterv3.ProcessingMode{ResponseHeaderMode: filterv3.ProcessingMode_SEND}
	streaming   = &filterv3.ProcessingMode{
		ResponseHeaderMode: filterv3.ProcessingMode_SEND, ResponseBodyMode: filterv3.ProcessingMode_STREAMED, ResponseTrailerMode: filterv3.ProcessingMode_SEND,
	}
	someID = scoring.ID{0xde, 0xad, 0xbe, 0xef, 15: 1}
)

const someHex = "deadbeef000000000000000000000001"

func marked(t *testing.T, fields map[string]any) *structpb.Struct {
	return structOf(t, map[string]any{"wonted": fields})
}

// TestTemplates: a patched copy is the message that marshalling would give, and
// the template itself stays as it was.
func TestTemplates(t *testing.T) {
	for _, m := range []policy.Mode{policy.Shadow, policy.Enforce} {
		for _, score := range []float64{0, 3.25, 12} {
			same(t, allowed[m].fill(nil, someID, score), &extprocv3.ProcessingResponse{
				Response:     &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}},
				ModeOverride: sendHeaders,
				DynamicMetadata: marked(t, map[string]any{
					"id": someHex, "score": score, "action": "allow", "mode": m.String(),
				}),
			})
		}
	}
}

// What a policy adds stands beside the verdict, and is fit for proto's strings.
func TestMetadataOfAPolicy(t *testing.T) {
	s := &session{server: newServer(&fakeGate{}, nil)}
	s.c.Exchange.ID = someID
	v := allow()
	v.Metadata = []policy.HeaderRule{{Name: "note", Value: "a\xff\r\nb"}, {Name: "tier", Value: "gold"}}
	same(t, wire(s.proceed(walked(typicalRequest(t)), v)), &extprocv3.ProcessingResponse{
		Response:     &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}},
		ModeOverride: sendHeaders,
		DynamicMetadata: marked(t, map[string]any{
			"id": someHex, "score": 0.0, "action": "allow", "mode": v.Mode.String(), "note": "a  b", "tier": "gold",
		}),
	})
	if s.news(v) {
		t.Error("the same again is news")
	}
	v.Decision = &policy.Decision{Action: policy.Allow, Metadata: v.Metadata[1:]}
	if !s.news(v) {
		t.Error("what has changed is no news")
	}
}

func TestReplyAllocatesNothing(t *testing.T) {
	s := &session{server: newServer(&fakeGate{}, nil)}
	m := walked(typicalRequest(t))
	v := allow()
	codec := newCodec()
	n := testing.AllocsPerRun(1000, func() {
		data, err := codec.Marshal(s.proceed(m, v))
		if err != nil {
			t.Fatal(err)
		}
		data.Free()
	})
	if n != 0 && !raceEnabled {
		t.Errorf("%v allocations a reply", n)
	}
}

func BenchmarkReply(b *testing.B) {
	s := &session{server: newServer(&fakeGate{}, nil)}
	m := walked(typicalRequest(b))
	v := allow()
	codec := newCodec()
	b.ReportAllocs()
	for b.Loop() {
		data, _ := codec.Marshal(s.proceed(m, v))
		data.Free()
	}
}

// TestFrameReturns: the buffer comes back with the last reference, and only
// then; grpc-go holds one after SendMsg has dropped its own.
func TestFrameReturns(t *testing.T) {
	f := newFrame()
	f.bytes = append(f.bytes, "abc"...)
	data, err := newCodec().Marshal(f.seal())
	if err != nil {
		t.Fatal(err)
	}
	reader := data.Reader() // as the transport does
	data.Free()
	other := newFrame()
	other.bytes = append(other.bytes, "xyz"...)
	got := make([]byte, 3)
	if _, err := reader.Read(got); err != nil || string(got) != "abc" {
		t.Errorf("%q, %v: overwritten while on its way", got, err)
	}
}

func TestMutations(t *testing.T) {
	f := func(rules []policy.HeaderRule, sent []string, want *extprocv3.HeaderMutation) {
		t.Helper()
		var mu mutation
		mu.apply(rules)
		var h []scoring.Header
		for _, name := range sent {
			h = append(h, scoring.Header{Name: []byte(name), Value: []byte("forged")})
		}
		mu.strip(h)
		r := &extprocv3.HeadersResponse{}
		if want != nil {
			r.Response = &extprocv3.CommonResponse{HeaderMutation: want}
		}
		same(t, appendContinue(nil, kindRequestHeaders, &mu), &extprocv3.ProcessingResponse{
			Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: r}})
	}
	set := func(pairs ...string) []*corev3.HeaderValueOption {
		var all []*corev3.HeaderValueOption
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, &corev3.HeaderValueOption{
				Header:       &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])},
				AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			})
		}
		return all
	}
	type rules = []policy.HeaderRule

	f(nil, nil, nil)
	f(nil, []string{"accept", "x-wanted", "x-wonted"}, nil)
	f(rules{{Name: "X-Risk", Value: "high"}}, nil, &extprocv3.HeaderMutation{SetHeaders: set("x-risk", "high")})
	f(rules{{Name: "server", Remove: true}}, nil, &extprocv3.HeaderMutation{RemoveHeaders: []string{"server"}})
	// What a client sends in wonted's name is removed, in any spelling that an
	// upstream may take for it; what is set replaces what was sent.
	f(nil, []string{"x-wonted-score", "x_wonted_score", "x-wonted-score", "accept"},
		&extprocv3.HeaderMutation{RemoveHeaders: []string{"x-wonted-score", "x_wonted_score"}})
	f(rules{{Name: "x-wonted-score", Value: "1"}}, []string{"x-wonted-score", "x-wonted-id"},
		&extprocv3.HeaderMutation{SetHeaders: set("x-wonted-score", "1"), RemoveHeaders: []string{"x-wonted-id"}})
	f(rules{{Name: "x-risk", Value: "low"}}, []string{"x-risk", "x_risk", "x-risks"},
		&extprocv3.HeaderMutation{SetHeaders: set("x-risk", "low"), RemoveHeaders: []string{"x_risk"}})
	// Envoy answers control characters with a 500, and so would a name with a space.
	f(rules{{Name: "x-a", Value: " one\r\ntwo\x00three\t"}}, nil, &extprocv3.HeaderMutation{SetHeaders: set("x-a", "one  two three")})
	f(rules{{Name: "x a", Value: "1"}, {Name: "", Value: "1"}, {Name: "x\n", Value: "1"}}, nil, nil)
	f(rules{{Name: "x-a", Value: strings.Repeat("v", 1<<20)}}, nil, &extprocv3.HeaderMutation{SetHeaders: set("x-a", strings.Repeat("v", maxValue))})
	// Routing and framing are never touched.
	f(rules{
		{Name: ":path", Value: "/"}, {Name: ":method", Value: "GET"}, {Name: "Host", Value: "h"}, {Name: "content-length", Value: "1"},
		{Name: "transfer-encoding", Remove: true}, {Name: "x-envoy-original-path", Value: "/"}, {Name: "connection", Value: "close"},
		{Name: "x-forwarded-for", Value: "1.1.1.1"}, {Name: "x-request-id", Remove: true},
	}, nil, nil)
}

// exchange with these request headers.
func exchange(pairs ...string) *scoring.Exchange {
	ex := &scoring.Exchange{ID: someID}
	for i := 0; i < len(pairs); i += 2 {
		ex.Headers = append(ex.Headers, scoring.Header{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return ex
}

func TestImmediate(t *testing.T) {
	f := func(name string, ex *scoring.Exchange, v policy.Verdict, status int, details, reason string, want map[string]string) {
		t.Helper()
		r := &extprocv3.ProcessingResponse{}
		if err := proto.Unmarshal(appendImmediate(nil, ex, v, newStepUp(policy.StepUp{}).answerTo(ex, v)), r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := r.ValidateAll(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		im := r.GetImmediateResponse()
		if int(im.GetStatus().GetCode()) != status || im.Details != details || strings.ContainsAny(im.Details, " \t") {
			t.Errorf("%s: %v %q", name, im.GetStatus(), im.Details)
		}
		got := map[string]string{}
		for _, h := range im.GetHeaders().GetSetHeaders() {
			got[h.GetHeader().GetKey()] = string(h.GetHeader().GetRawValue())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		var p struct {
			Type, Title, Detail, Reason string
			Status                      int
			DecisionID                  string `json:"decision_id"`
		}
		d := json.NewDecoder(strings.NewReader(string(im.Body)))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			t.Fatalf("%s: %v in %s", name, err, im.Body)
		}
		if p.Type != "about:blank" || p.Status != status || p.Title == "" || p.Detail == "" || p.DecisionID != someHex || p.Reason != reason {
			t.Errorf("%s: %s", name, im.Body)
		}
	}
	base := func(more ...string) map[string]string {
		m := map[string]string{"content-type": "application/problem+json", "cache-control": "no-store"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	verdict := func(d policy.Decision, class string) policy.Verdict {
		return policy.Verdict{Decision: &d, Class: class, Mode: policy.Enforce}
	}
	bearer := exchange("authorization", "bearer abc")
	f("deny", exchange(), verdict(policy.Decision{Action: policy.Deny, Reason: "secret rule"}, "denied"), 403, "wonted_deny", "denied", base())
	f("status", exchange(), verdict(policy.Decision{Action: policy.Deny, Status: 404}, "denied"), 404, "wonted_deny", "denied", base())
	f("a status that would let it pass", exchange(), verdict(policy.Decision{Action: policy.Deny, Status: 200}, "denied"), 403, "wonted_deny", "denied", base())
	f("budget", exchange(), verdict(policy.Decision{Action: policy.Deny}, "budget"), 403, "wonted_budget", "budget", base())
	f("fail closed", exchange(), verdict(policy.Decision{Action: policy.Deny, Failed: "error"}, "unavailable"), 503, "wonted_unavailable", "unavailable", base())
	f("a class nobody knows", exchange(), verdict(policy.Decision{Action: policy.Deny}, `"x`), 403, "wonted_deny", "denied", base())
	f("nobody decided", exchange(), verdict(policy.Decision{}, ""), 403, "wonted_undecided", "denied", base())
	f("throttle", exchange(), verdict(policy.Decision{Action: policy.Throttle, RetryAfter: 1500 * time.Millisecond}, "rate"), 429, "wonted_throttle", "rate",
		base("retry-after", "2", "ratelimit", `"wonted";r=0;t=2`))
	f("throttle by a quota", exchange(), verdict(policy.Decision{Action: policy.Throttle, RetryAfter: time.Minute, Manner: policy.Manner{Quota: 100, Window: time.Hour}}, "rate"),
		429, "wonted_throttle", "rate", base("retry-after", "60", "ratelimit", `"wonted";r=0;t=60`, "ratelimit-policy", `"wonted";q=100;w=3600`))
	f("throttle, no time given", exchange(), verdict(policy.Decision{Action: policy.Throttle}, "rate"), 429, "wonted_throttle", "rate", base("retry-after", "1", "ratelimit", `"wonted";r=0;t=1`))
	f("challenge", exchange(), verdict(policy.Decision{Action: policy.Challenge, Realm: "orders"}, "step-up"), 401, "wonted_challenge", "step-up",
		base("www-authenticate", `Bearer realm="orders"`))
	f("challenge of a token", bearer, verdict(policy.Decision{Action: policy.Challenge}, "step-up"), 401, "wonted_challenge", "step-up",
		base("www-authenticate", `Bearer realm="api", error="insufficient_user_authentication", error_description="Sign in again to continue"`))
	f("a realm that would end the string", exchange(), verdict(policy.Decision{Action: policy.Challenge, Realm: "a\"\r\nx\\"}, "step-up"), 401, "wonted_challenge", "step-up",
		base("www-authenticate", `Bearer realm="a\"  x\\"`))
}

func TestImmediateToGRPC(t *testing.T) {
	f := func(contentType string, want *extprocv3.GrpcStatus) {
		t.Helper()
		v := policy.Verdict{Decision: &policy.Decision{Action: policy.Throttle}, Class: "rate"}
		r := &extprocv3.ProcessingResponse{}
		ex := exchange("content-type", contentType)
		if err := proto.Unmarshal(appendImmediate(nil, ex, v, newStepUp(policy.StepUp{}).answerTo(ex, v)), r); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.GetImmediateResponse().GetGrpcStatus(), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", contentType, diff)
		}
		if body := string(r.GetImmediateResponse().Body); strings.HasPrefix(body, "{") != (want == nil) || !strings.Contains(body, someHex) {
			t.Errorf("%s: %s", contentType, body)
		}
	}
	exhausted := &extprocv3.GrpcStatus{Status: 8}
	f("application/grpc", exhausted)
	f("application/grpc+proto", exhausted)
	f("application/grpc-web", nil)
	f("application/json", nil)
}

func TestCut(t *testing.T) {
	v := policy.Verdict{Decision: &policy.Decision{Action: policy.Deny}, Class: "budget"}
	same(t, appendCut(nil, v), &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ImmediateResponse{
		ImmediateResponse: &extprocv3.ImmediateResponse{Status: &typev3.HttpStatus{Code: typev3.StatusCode_Forbidden}, Details: "wonted_cut"},
	}})
}

// TestNest: lengths of one, two and three bytes.
func TestNest(t *testing.T) {
	for _, n := range []int{0, 1, 120, 127, 128, 129, 5000, 16383, 16384, 70000} {
		text := strings.Repeat("x", n)
		got := nest([]byte("before"), 9, func(b []byte) []byte { return nest(b, 8, func(b []byte) []byte { return appendString(b, 1, text) }) })
		want := appendString([]byte("before"), 9, appendString([]byte(nil), 8, appendString([]byte(nil), 1, text)))
		if string(got) != string(want) {
			t.Errorf("%d: wrong", n)
		}
	}
}
