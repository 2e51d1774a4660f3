package envoy_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	pb "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about a filter that somebody has configured for
// FULL_DUPLEX_STREAMED, in which Envoy passes on only what the processor
// returns.

const bodyDuplex = extprocv3.ProcessingMode_FULL_DUPLEX_STREAMED

// fullDuplex changes the filter's base modes.
func fullDuplex(t testing.TB, overrides, request, response bool) func(*hcmv3.HttpConnectionManager) {
	return editProcessor(t, func(p *extprocv3.ExternalProcessor) {
		p.AllowModeOverride = overrides
		p.ProcessingMode.ResponseHeaderMode = headersSent
		if request {
			p.ProcessingMode.RequestBodyMode, p.ProcessingMode.RequestTrailerMode = bodyDuplex, headersSent
		}
		if response {
			p.ProcessingMode.ResponseBodyMode, p.ProcessingMode.ResponseTrailerMode = bodyDuplex, headersSent
		}
	})
}

// editProcessor changes the filter.
func editProcessor(t testing.TB, edit func(*extprocv3.ExternalProcessor)) func(*hcmv3.HttpConnectionManager) {
	return func(m *hcmv3.HttpConnectionManager) {
		t.Helper()
		for _, filter := range m.HttpFilters {
			var p extprocv3.ExternalProcessor
			if !filter.GetTypedConfig().MessageIs(&p) {
				continue
			}
			if err := filter.GetTypedConfig().UnmarshalTo(&p); err != nil {
				t.Fatal(err)
			}
			edit(&p)
			if err := filter.GetTypedConfig().MarshalFrom(&p); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Fatal("there is no external processor")
	}
}

// echoing answers every chunk with itself, or with CONTINUE, and asks for plain
// chunks at each header phase. It reports what came, in short.
func echoing(ended chan<- []string, echo bool) script {
	return func(stream pb.ExternalProcessor_ProcessServer) error {
		var seen []string
		defer func() { ended <- seen }()
		body := func(b *pb.HttpBody) *pb.BodyResponse {
			if !echo {
				return &pb.BodyResponse{}
			}
			return &pb.BodyResponse{Response: &pb.CommonResponse{BodyMutation: &pb.BodyMutation{Mutation: &pb.BodyMutation_StreamedResponse{
				StreamedResponse: &pb.StreamedBodyResponse{Body: b.Body, EndOfStream: b.EndOfStream},
			}}}}
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return nil
			}
			if c := m.ProtocolConfig; c != nil {
				seen = append(seen, fmt.Sprintf("config %d %d", c.RequestBodyMode, c.ResponseBodyMode))
			}
			answer := requestGoesOn(mode(headersSent, bodyChunks))
			switch r := m.Request.(type) {
			case *pb.ProcessingRequest_RequestHeaders:
				seen = append(seen, "request headers")
			case *pb.ProcessingRequest_ResponseHeaders:
				seen = append(seen, "response headers")
				answer = responseGoesOn(mode(headersSent, bodyChunks))
			case *pb.ProcessingRequest_RequestBody:
				seen = append(seen, "request body")
				answer = &pb.ProcessingResponse{Response: &pb.ProcessingResponse_RequestBody{RequestBody: body(r.RequestBody)}}
			case *pb.ProcessingRequest_ResponseBody:
				seen = append(seen, "response body")
				answer = &pb.ProcessingResponse{Response: &pb.ProcessingResponse_ResponseBody{ResponseBody: body(r.ResponseBody)}}
			}
			if err := stream.Send(answer); err != nil {
				return nil
			}
		}
	}
}

func TestFactFullDuplexWantsEveryChunkBackAndTakesNoOverride(t *testing.T) {
	for _, overrides := range []bool{false, true} {
		s := newStage(t, fullDuplex(t, overrides, false, true))
		for _, echo := range []bool{true, false} {
			ended := make(chan []string, 1)
			s.play(echoing(ended, echo))
			got := s.get(http1(t), "/?bytes=150000", mark())
			if whole := got.StatusCode == http.StatusOK && got.err == nil && len(got.body) == 150000; whole != echo {
				t.Errorf("overrides allowed %v, chunks returned %v: status %d, %d bytes, %v", overrides, echo, got.StatusCode, len(got.body), got.err)
			}
			// The configured modes come first and once.
			if seen := <-ended; !slices.Equal(slices.Compact(seen), []string{"config 0 4", "request headers", "response headers", "response body"}) {
				t.Errorf("the messages were %v", seen)
			}
		}
		// Full duplex in one direction takes the override away from the other.
		s = newStage(t, fullDuplex(t, overrides, true, false))
		ended := make(chan []string, 1)
		s.play(echoing(ended, true))
		s.wants(s.get(http1(t), "/?bytes=1000", mark()), http.StatusOK)
		if seen := <-ended; slices.Contains(seen, "response body") {
			t.Errorf("the messages were %v", seen)
		}
	}
}

func TestWontedLivesWithFullDuplex(t *testing.T) {
	for _, overrides := range []bool{false, true} {
		s := setEdited(t, func(b *bootstrapv3.Bootstrap) { editManager(t, b, fullDuplex(t, overrides, true, true)) },
			envoytest.Settings{Policy: rego(`response_budget contains {"records": 100} if startswith(input.request.path, "/export")`)})
		f := func(c client) {
			t.Helper()
			s.wants(s.get(c, "/", mark()), http.StatusOK)
			big := s.get(c, "/?bytes=5000000", mark())
			s.wants(answer{big.Response, nil, big.err}, http.StatusOK)
			if len(big.body) != 5000000 {
				t.Errorf("%d bytes arrived", len(big.body))
			}
			within := s.get(c, "/export?records=100&flush=20", mark())
			s.wants(within, http.StatusOK)
			if n := envoytest.Records(within.body); n != 100 {
				t.Errorf("%d records of a response within its budget", n)
			}
			m := mark()
			over := s.get(c, "/export?records=5000&flush=20&pause=2ms", m)
			if n := envoytest.Records(over.body); over.err == nil || n > 100 {
				t.Errorf("%d records left, the budget is 100; the body ended with %v", n, over.err)
			}
			if log := s.logged(m); log.Details != "wonted_cut" || log.Wonted.Action != "deny" {
				t.Errorf("access log says %+v", log)
			}
			upload, err := c.Post(s.envoy.URL()+"/", "text/plain", io.MultiReader(strings.NewReader(strings.Repeat("u", 3_000_000))))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(upload.Body)
			upload.Body.Close()
			if upload.StatusCode != http.StatusOK || err != nil || !bytes.Contains(body, []byte("ok")) {
				t.Errorf("an upload: %d %q, %v", upload.StatusCode, body, err)
			}
		}
		f(http1(t))
		f(http2(t))
		s.ended("truncated", 2)
		s.ended("answered", 8)
		if n := s.metric("wonted_stream_full_duplex_total"); n != 10 {
			t.Errorf("%v streams were counted", n)
		}
	}
}
