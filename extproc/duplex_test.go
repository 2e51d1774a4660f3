package extproc

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// configure adds the filter's body modes to the first message, as Envoy does.
func configure(t testing.TB, messages [][]byte, request, response filterv3.ProcessingMode_BodySendMode) [][]byte {
	t.Helper()
	config := marshal(t, &extprocv3.ProcessingRequest{ProtocolConfig: &extprocv3.ProtocolConfiguration{
		RequestBodyMode: request, ResponseBodyMode: response,
	}})
	messages[0] = append(config, messages[0]...) // encoded messages merge
	return messages
}

const (
	none   = filterv3.ProcessingMode_NONE
	chunks = filterv3.ProcessingMode_STREAMED
	duplex = filterv3.ProcessingMode_FULL_DUPLEX_STREAMED
)

// TestFullDuplex: where Envoy passes on only what comes back, every chunk comes
// back, whatever becomes of the exchange; and no mode is asked for, since the
// configured one must stay in force.
func TestFullDuplex(t *testing.T) {
	f := func(name string, h hooks, request, response filterv3.ProcessingMode_BodySendMode, messages, answers string, end scoring.End) {
		t.Helper()
		g := &fakeGate{hooks: h}
		s := newServer(g, nil)
		stream := &script{messages: configure(t, encodeWords(t, strings.Fields(messages)), request, response)}
		if err := s.process(stream); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, a := range stream.answers {
			got = append(got, brief(a))
		}
		if strings.Join(got, " ") != answers {
			t.Errorf("%s:\n got %v\nwant %v", name, got, answers)
		}
		g.check(t)
		if len(g.closed) > 0 && g.ends()[end] != 1 {
			t.Errorf("%s: ended as %v", name, g.ends())
		}
		if counted(s.metrics.duplex) != 1 {
			t.Errorf("%s: counted %v", name, counted(s.metrics.duplex))
		}
	}
	body := hooks{onAnswer: always(withBody(allow()))}
	cut := hooks{onAnswer: always(withBody(allow())), onMeter: func(c *policy.Case) policy.Verdict {
		if c.Exchange.Records > 2 {
			return refusal(policy.Deny, "budget")
		}
		return allow()
	}}
	scored := hooks{onAnswer: always(withBody(allow())), onMeter: func(c *policy.Case) policy.Verdict {
		c.Exchange.Assessment.Score++ // news with every chunk
		return allow()
	}}
	const chunk, last = "rsb=[{},{},", "rsb={}]$"

	f("nobody wants the body", hooks{}, none, duplex, "rqh$ rsh rsb rsb$", "rqh rsh "+chunk+" "+last, scoring.Answered)
	f("metered", body, none, duplex, "rqh$ rsh rsb rsb$", "rqh rsh "+chunk+" "+last, scoring.Answered)
	f("metered, with news", scored, none, duplex, "rqh$ rsh rsb rsb$", "rqh rsh "+chunk+" "+last, scoring.Answered)
	f("metered to its trailers", body, none, duplex, "rqh$ rsh rsb rst", "rqh rsh "+chunk+" rst", scoring.Answered)
	f("cut", cut, none, duplex, "rqh$ rsh rsb rsb rsb", "rqh rsh "+chunk+" 403:wonted_cut "+chunk, scoring.Truncated)
	f("both directions", body, duplex, duplex, "rqh rqb rqb$ rsh rsb rqt rsb$",
		"rqh rqb=12345 rqb=$ rsh "+chunk+" rqt "+last, scoring.Answered)
	f("the request only: no response body can be had", body, duplex, none, "rqh rqb rqb$ rsh", "rqh rqb=12345 rqb=$ rsh", scoring.Answered)
	f("the request only, the response in chunks", body, duplex, chunks, "rqh rqb$ rsh rsb rsb$", "rqh rqb=$ rsh rsb rsb", scoring.Answered)
	f("not our exchange", hooks{}, none, duplex, "rsh rsb rsb$", "rsh "+chunk+" "+last, scoring.Unknown)
	f("no response headers", hooks{}, none, duplex, "rqh$ rsb rsb$", "rqh "+chunk+" "+last, scoring.Unknown)
}

// TestFullDuplexMeters what it echoes.
func TestFullDuplexMeters(t *testing.T) {
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}
	s := newServer(g, nil)
	messages := configure(t, encodeWords(t, []string{"rqh", "rqb", "rqb$", "rsh", "rsb", "rsb$"}), duplex, duplex)
	if err := s.process(&script{messages: messages}); err != nil {
		t.Fatal(err)
	}
	if g.last.Records != 3 || g.last.ResponseBytes != int64(len(`[{},{},{}]`)) || g.last.RequestBytes != 5 {
		t.Errorf("%d records, %d and %d bytes", g.last.Records, g.last.ResponseBytes, g.last.RequestBytes)
	}
}

// TestOtherModesAreNotDuplex: a filter configured for plain chunks, or for
// nothing, is asked for what is wanted.
func TestOtherModesAreNotDuplex(t *testing.T) {
	for _, m := range []filterv3.ProcessingMode_BodySendMode{none, chunks, filterv3.ProcessingMode_BUFFERED} {
		g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}
		s := newServer(g, nil)
		stream := &script{messages: configure(t, encodeWords(t, []string{"rqh", "rqb", "rsh", "rsb$"}), m, m)}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range stream.answers {
			got = append(got, brief(a))
		}
		if strings.Join(got, " ") != "rqh+headers rqb rsh+body rsb" || counted(s.metrics.duplex) != 0 {
			t.Errorf("%v: %v", m, got)
		}
	}
}

// TestEcho: the bytes written by hand are the message that is meant, at every
// length of a length.
func TestEcho(t *testing.T) {
	ran := 0
	for _, size := range []int{0, 1, 100, 115, 120, 127, 128, 16_000, 16_383, 16_384, 2_100_000} {
		for _, eos := range []bool{false, true} {
			for _, k := range []kind{kindRequestBody, kindResponseBody} {
				body := bytes.Repeat([]byte{'x'}, size)
				answer := &extprocv3.BodyResponse{Response: &extprocv3.CommonResponse{BodyMutation: &extprocv3.BodyMutation{
					Mutation: &extprocv3.BodyMutation_StreamedResponse{StreamedResponse: &extprocv3.StreamedBodyResponse{Body: body, EndOfStream: eos}},
				}}}
				want := &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: answer}}
				if k == kindRequestBody {
					want.Response = &extprocv3.ProcessingResponse_RequestBody{RequestBody: answer}
				}
				if size == 0 {
					answer.Response.BodyMutation.GetStreamedResponse().Body = nil
				}
				var got extprocv3.ProcessingResponse
				if err := proto.Unmarshal(appendEcho(nil, &message{kind: k, body: body, endOfStream: eos}), &got); err != nil || !proto.Equal(&got, want) {
					t.Errorf("%d bytes, end %v, %v: another message (%v)", size, eos, k, err)
				}
				ran++
			}
		}
	}
	t.Log(ran, "echoes")
}

// TestFullDuplexFailures: a stream that ends takes the chunks on their way with
// it. So it goes on behind a failure, or ends with an error that the client
// notices; never with nil.
func TestFullDuplexFailures(t *testing.T) {
	body := always(withBody(allow()))
	f := func(name string, h hooks, messages, answers string, code codes.Code) {
		t.Helper()
		g := &fakeGate{hooks: h}
		s := newServer(g, nil)
		var all [][]byte
		for _, w := range strings.Fields(messages) {
			if w == "bad" {
				all = append(all, []byte{0x12, 0x09, 0x00})
			} else {
				all = append(all, encodeWords(t, []string{w})...)
			}
		}
		stream := &script{messages: configure(t, all, none, duplex)}
		if err := s.process(stream); status.Code(err) != code {
			t.Errorf("%s: ended with %v", name, err)
		}
		var got []string
		for _, a := range stream.answers {
			got = append(got, brief(a))
		}
		if strings.Join(got, " ") != answers {
			t.Errorf("%s:\n got %v\nwant %v", name, got, answers)
		}
		g.check(t)
		if n := s.Stats().Open; n != 0 {
			t.Errorf("%s: %d left in the table", name, n)
		}
	}
	const chunk, last = "rsb=[{},{},", "rsb={}]$"
	closing := func(*policy.Case, scoring.End) { panic("bang") }
	f("at the request", hooks{onOpen: bang}, "rqh$ rsh rsb rsb$", "rqh rsh "+chunk+" "+last, codes.OK)
	f("at the response", hooks{onAnswer: bang}, "rqh$ rsh rsb rsb$", "rqh rsh "+chunk+" "+last, codes.OK)
	f("at the body", hooks{onAnswer: body, onMeter: bang}, "rqh$ rsh rsb rsb rsb$", "rqh rsh "+chunk+" "+chunk+" "+last, codes.OK)
	f("at the end, before the body", hooks{onClose: closing}, "rqh$ rsh rsb rsb$", "rqh rsh "+chunk+" "+last, codes.OK)
	f("at the body, closed", hooks{onAnswer: body, onMeter: bang, onFail: unavailable}, "rqh$ rsh rsb", "rqh rsh 503:wonted_cut", codes.OK)
	f("unreadable", hooks{onAnswer: body}, "rqh$ rsh rsb bad", "rqh rsh "+chunk, codes.Internal)
	f("the Gate cannot even fail", hooks{onAnswer: body, onMeter: bang, onFail: bang}, "rqh$ rsh rsb rsb$", "rqh rsh", codes.Internal)
}

// TestFullDuplexIsToldOnce, with what to change.
func TestFullDuplexIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	s := newServer(&fakeGate{}, func(c *Config) { c.Log = zerolog.New(&out) })
	for range 20 {
		if err := s.process(&script{messages: configure(t, encodeWords(t, []string{"rqh$", "rsh"}), none, duplex)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 1 || !strings.Contains(out.String(), "response_body_mode: NONE") {
		t.Errorf("%d lines: %s", n, out.String())
	}
	if n := counted(s.metrics.duplex); n != 20 {
		t.Errorf("%v counted", n)
	}
}

// TestFullDuplexOverGRPC: echoes of every size arrive unharmed.
func TestFullDuplexOverGRPC(t *testing.T) {
	conn := serve(t, newServer(&fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}, nil))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := extprocv3.NewExternalProcessorClient(conn).Process(ctx)
	if err != nil {
		t.Fatal(err)
	}
	send := func(m *extprocv3.ProcessingRequest) *extprocv3.ProcessingResponse {
		t.Helper()
		if err := stream.Send(m); err != nil {
			t.Fatal(err)
		}
		r, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := rq(lines(":method", "GET", ":path", "/"), true)
	first.ProtocolConfig = &extprocv3.ProtocolConfiguration{ResponseBodyMode: duplex}
	send(first)
	send(words["rsh"])
	for i, size := range []int{0, 1, 500, 3_000, 70_000, 3_000_000, 10} {
		chunk := bytes.Repeat([]byte{byte('a' + i)}, size)
		r := send(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: &extprocv3.HttpBody{Body: chunk}}})
		if got := bodyAnswer(r).GetResponse().GetBodyMutation().GetStreamedResponse(); got == nil || !bytes.Equal(got.Body, chunk) {
			t.Fatalf("%d bytes: another body came back", size)
		}
	}
}
