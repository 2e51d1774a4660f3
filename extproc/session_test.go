package extproc

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// words are the messages of a script; $ marks the end of the stream.
var words = map[string]*extprocv3.ProcessingRequest{
	"rqh":  rq(lines(":method", "GET", ":path", "/v1/orders", ":scheme", "https", ":authority", "api"), false),
	"rqh$": rq(lines(":method", "GET", ":path", "/v1/orders", ":scheme", "https", ":authority", "api"), true),
	"rqb":  {Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: &extprocv3.HttpBody{Body: []byte("12345")}}},
	"rqb$": {Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: &extprocv3.HttpBody{EndOfStream: true}}},
	"rqt":  {Request: &extprocv3.ProcessingRequest_RequestTrailers{RequestTrailers: &extprocv3.HttpTrailers{}}},
	"rsh":  rs(lines(":status", "200", "content-type", "application/json"), false),
	"rsh$": rs(lines(":status", "404"), true),
	"rsb":  {Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: &extprocv3.HttpBody{Body: []byte(`[{},{},`)}}},
	"rsb$": {Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: &extprocv3.HttpBody{Body: []byte(`{}]`), EndOfStream: true}}},
	"rst":  {Request: &extprocv3.ProcessingRequest_ResponseTrailers{ResponseTrailers: &extprocv3.HttpTrailers{}}},
	"none": {},
}

func rq(h *corev3.HeaderMap, eos bool) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{Headers: h, EndOfStream: eos},
	}}
}

func rs(h *corev3.HeaderMap, eos bool) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: &extprocv3.HttpHeaders{Headers: h, EndOfStream: eos},
	}}
}

func encodeWords(t testing.TB, list []string) (all [][]byte) {
	for _, w := range list {
		m, ok := words[w]
		if !ok {
			t.Fatalf("no message %q", w)
		}
		all = append(all, marshal(t, m))
	}
	return all
}

// brief says what an answer is, in one word.
func brief(r *extprocv3.ProcessingResponse) string {
	var s string
	switch m := r.Response.(type) {
	case *extprocv3.ProcessingResponse_RequestHeaders:
		s = "rqh"
	case *extprocv3.ProcessingResponse_RequestBody:
		s = "rqb"
	case *extprocv3.ProcessingResponse_RequestTrailers:
		s = "rqt"
	case *extprocv3.ProcessingResponse_ResponseHeaders:
		s = "rsh"
	case *extprocv3.ProcessingResponse_ResponseBody:
		s = "rsb"
	case *extprocv3.ProcessingResponse_ResponseTrailers:
		s = "rst"
	case *extprocv3.ProcessingResponse_ImmediateResponse:
		s = fmt.Sprintf("%d:%s", m.ImmediateResponse.GetStatus().GetCode(), m.ImmediateResponse.GetDetails())
	default:
		s = "nothing"
	}
	if body := bodyAnswer(r); body != nil {
		if e := body.GetResponse().GetBodyMutation().GetStreamedResponse(); e != nil {
			s += fmt.Sprintf("=%s", e.Body)
			if e.EndOfStream {
				s += "$"
			}
		}
	}
	if o := r.GetModeOverride(); o != nil {
		s += "+" + map[filterv3.ProcessingMode_BodySendMode]string{
			filterv3.ProcessingMode_NONE: "headers", filterv3.ProcessingMode_STREAMED: "body",
		}[o.ResponseBodyMode]
		s += map[filterv3.ProcessingMode_BodySendMode]string{
			filterv3.ProcessingMode_STREAMED: ",upload", filterv3.ProcessingMode_BUFFERED: ",whole",
		}[o.RequestBodyMode]
		if asks := o.RequestBodyMode != filterv3.ProcessingMode_NONE; asks != (o.RequestTrailerMode == filterv3.ProcessingMode_SEND) {
			s += ",trailers?"
		}
	}
	return s
}

func bodyAnswer(r *extprocv3.ProcessingResponse) *extprocv3.BodyResponse {
	if b := r.GetRequestBody(); b != nil {
		return b
	}
	return r.GetResponseBody()
}

// TestStates walks the table of the package comment. Every prefix of every
// sequence is run too, since a stream may end anywhere: its answers are the
// prefix's, and an exchange that was opened is closed once, as unknown unless
// its end had come.
func TestStates(t *testing.T) {
	const open = -1
	ran := 0
	f := func(name string, g hooks, messages, answers string, closedAt int, end scoring.End) {
		t.Run(name, func(t *testing.T) {
			list, want := strings.Fields(messages), strings.Fields(answers)
			all := encodeWords(t, list)
			for n := range len(list) + 1 {
				for _, then := range []error{nil, status.Error(codes.Canceled, "")} {
					gate := &fakeGate{hooks: g}
					s := newServer(gate, nil)
					stream := &script{messages: all[:n], then: then}
					if err := s.process(stream); err != nil {
						t.Fatalf("after %v: %v", list[:n], err)
					}
					got := []string{}
					for _, a := range stream.answers {
						got = append(got, brief(a))
					}
					if n == len(list) && strings.Join(got, " ") != strings.Join(want, " ") {
						t.Errorf("%v\n got %v\nwant %v", list, got, want)
					}
					if len(got) > len(want) || strings.Join(got, " ") != strings.Join(want[:len(got)], " ") {
						t.Errorf("after %v: %v", list[:n], got)
					}
					gate.check(t)
					for _, e := range gate.closed {
						wanted := scoring.Unknown
						if closedAt != open && n > closedAt {
							wanted = end
						}
						if e != wanted {
							t.Errorf("after %v: ended as %v, not %v", list[:n], endNames[e], endNames[wanted])
						}
					}
					if len(gate.closed) == 0 && n > 0 && list[0] == "rqh" {
						t.Errorf("after %v: never opened", list[:n])
					}
					if s.Stats().Open != 0 {
						t.Errorf("after %v: %d left in the table", list[:n], s.Stats().Open)
					}
					ran++
				}
			}
		})
	}
	plain := hooks{}
	body := hooks{onAnswer: always(withBody(allow()))}
	deny := hooks{onOpen: always(refusal(policy.Deny, "denied"))}
	denyAnswer := hooks{onAnswer: always(refusal(policy.Deny, "budget"))}
	cut := hooks{onAnswer: always(withBody(allow())), onMeter: func(c *policy.Case) policy.Verdict {
		if c.Exchange.Records > 2 {
			return refusal(policy.Deny, "budget")
		}
		return allow()
	}}

	f("nothing at all", plain, "", "", open, 0)
	f("a request and its answer", plain, "rqh$ rsh", "rqh+headers rsh", 1, scoring.Answered)
	f("an answer without a body", body, "rqh$ rsh$", "rqh+headers rsh", 1, scoring.Answered)
	f("everything there is", body, "rqh rqb rqb rqb$ rqt rsh rsb rsb rsb$ rst",
		"rqh+headers rqb rqb rqb rqt rsh+body rsb rsb rsb rst", 8, scoring.Answered)
	f("ended by trailers", body, "rqh$ rsh rsb rst", "rqh+headers rsh+body rsb rst", 3, scoring.Answered)
	f("broken off in the body", body, "rqh$ rsh rsb rsb", "rqh+headers rsh+body rsb rsb", open, 0)
	f("a body that starts before the request's has ended", body, "rqh rqb rsh rqb rsb rqb$ rsb$",
		"rqh+headers rqb rsh+body rqb rsb rqb rsb", 6, scoring.Answered)
	f("refused at the request", deny, "rqh$", "403:wonted_deny", 0, scoring.Refused)
	f("refused, and yet it goes on", deny, "rqh rqb rsh rsb$ rst", "403:wonted_deny rqb rsh rsb rst", 0, scoring.Refused)
	f("refused at the response headers", denyAnswer, "rqh$ rsh rsb$", "rqh+headers 403:wonted_budget rsb", 1, scoring.Refused)
	f("cut", cut, "rqh$ rsh rsb rsb rsb rsb$", "rqh+headers rsh+body rsb 403:wonted_cut rsb rsb", 3, scoring.Truncated)
	f("cut at the last chunk", cut, "rqh$ rsh rsb rsb$", "rqh+headers rsh+body rsb 403:wonted_cut", 3, scoring.Truncated)
	f("begins with the response", body, "rsh rsb rsb$ rst", "rsh rsb rsb rst", open, 0)
	f("begins with a body", body, "rqb rsb rqt", "rqb rsb rqt", open, 0)
	f("begins with the response, then a request", body, "rsh rqh rsb$", "rsh rqh rsb", open, 0)
	f("a second request", body, "rqh rqh rsh rsb$", "rqh+headers rqh rsh+body rsb", 3, scoring.Answered)
	f("a second response", body, "rqh rsh rsh rsb$ rsh", "rqh+headers rsh+body rsh rsb rsh", 3, scoring.Answered)
	f("a body that was not asked for", plain, "rqh rsh rsb rsb$ rst", "rqh+headers rsh rsb rsb rst", 1, scoring.Answered)
	f("a body without headers", body, "rqh rsb rsb$", "rqh+headers rsb rsb", open, 0)
	f("nothing inside", body, "none rqh none rsh none rsb$", "rqh+headers rsh+body rsb", 5, scoring.Answered)
	if ran < 100 {
		t.Fatalf("only %d sequences", ran)
	}
}

// TestAnySequence runs every sequence of up to four messages: each is answered
// once, in its own form or by the one refusal, and completion happens once.
func TestAnySequence(t *testing.T) {
	anySequence(t, "rqh", "rqb", "rqt", "rsh", "rsh$", "rsb", "rsb$", "rst", "none")
	anySequence(t, "call?", "rqb", "rch$", "rqt", "rsh", "rsb$")
}

func anySequence(t *testing.T, alphabet ...string) {
	forms := map[string]string{"call?": "rqh", "rch$": "rqb"}
	scorer := operations()
	encoded := map[string][]byte{}
	for _, w := range alphabet {
		encoded[w] = marshal(t, words[w])
	}
	gates := []hooks{
		{},
		{onAnswer: always(withBody(allow()))},
		{onOpen: always(refusal(policy.Throttle, "rate"))},
		{onAnswer: always(refusal(policy.Challenge, "step-up"))},
		{onAnswer: always(withBody(allow())), onMeter: always(refusal(policy.Deny, "budget"))},
	}
	ran := 0
	var run func(list []string)
	run = func(list []string) {
		for i := range gates {
			g := &fakeGate{hooks: gates[i]}
			stream := &script{}
			for _, w := range list {
				stream.messages = append(stream.messages, encoded[w])
			}
			s := newServer(g, func(c *Config) { c.Operations = scorer })
			if err := s.process(stream); err != nil {
				t.Fatalf("%v: %v", list, err)
			}
			g.check(t)
			due, refusals := 0, 0
			for _, w := range list {
				if w == "none" {
					continue
				}
				if due == len(stream.answers) {
					t.Fatalf("gate %d, %v: %q is not answered", i, list, w)
				}
				a := brief(stream.answers[due])
				due++
				if strings.Contains(a, "wonted_") {
					refusals++
				} else if form := cmp.Or(forms[w], w); a[:3] != form[:3] {
					t.Fatalf("gate %d, %v: %q is answered by %q", i, list, w, a)
				}
			}
			if due != len(stream.answers) || refusals > 1 {
				t.Fatalf("gate %d, %v: %d answers to %d messages, %d refusals", i, list, len(stream.answers), due, refusals)
			}
			ran++
		}
		if t.Failed() {
			t.Fatalf("at %v", list)
		}
		if len(list) < 4 {
			for _, w := range alphabet {
				run(append(list[:len(list):len(list)], w))
			}
		}
	}
	run(nil)
	t.Logf("%d sequences", ran)
}
