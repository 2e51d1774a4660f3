package envoy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacconfigv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	pb "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about Envoy alone: what wonted's code relies on
// and Envoy's documentation does not promise, or says otherwise.

// steps answers one message after the other, then reports how the stream ended.
func steps(ended chan<- error, answers ...*pb.ProcessingResponse) script {
	return func(stream pb.ExternalProcessor_ProcessServer) error {
		for _, answer := range answers {
			if _, err := stream.Recv(); err != nil {
				ended <- err
				return nil
			}
			if err := stream.Send(answer); err != nil {
				ended <- err
				return nil
			}
		}
		_, err := stream.Recv()
		ended <- err
		return nil
	}
}

// streaming asks for the response's headers, then for its body in chunks, and
// lets all of it go on.
func streaming(ended chan<- error, see func(*pb.HttpBody)) script {
	return func(stream pb.ExternalProcessor_ProcessServer) error {
		for {
			m, err := stream.Recv()
			if err != nil {
				ended <- err
				return nil
			}
			answer := requestGoesOn(mode(headersSent, bodyNone))
			switch r := m.Request.(type) {
			case *pb.ProcessingRequest_ResponseHeaders:
				answer = responseGoesOn(mode(headersSent, bodyChunks))
			case *pb.ProcessingRequest_ResponseBody:
				see(r.ResponseBody)
				answer = chunkGoesOn()
			}
			if err := stream.Send(answer); err != nil {
				ended <- err
				return nil
			}
		}
	}
}

func TestFactTheModeIsOverriddenStepByStep(t *testing.T) {
	s := newStage(t, nil)
	var chunks []int
	ended := make(chan error, 1)
	s.play(streaming(ended, func(b *pb.HttpBody) { chunks = append(chunks, len(b.Body)) }))
	const size = 5 << 20
	got := s.get(http1(t), fmt.Sprintf("/?bytes=%d&declare=1", size), mark())
	s.wants(got, http.StatusOK)
	<-ended
	sum := 0
	for _, n := range chunks {
		sum += n
	}
	if sum != size || len(chunks) < 2 {
		t.Errorf("the chunks were %v", chunks)
	}
	if got.ContentLength != size {
		t.Errorf("content-length is %d: an override at the response headers used to leave it alone", got.ContentLength)
	}
	if largest := slices.Max(chunks); largest > 4<<20 {
		t.Errorf("a message of %d bytes with buffers of 1 MiB", largest)
	}
}

func TestFactSetHeadersReplacesWhateverItsAppendActionSays(t *testing.T) {
	s := newStage(t, nil)
	for action := range corev3.HeaderValueOption_HeaderAppendAction_name {
		ours := header("x-risk", "ours")
		ours.AppendAction = corev3.HeaderValueOption_HeaderAppendAction(action)
		s.play(steps(make(chan error, 1), requestGoesOn(nil, ours)))
		m := mark()
		s.wants(s.get(http1(t), "/", m, "x-risk", "a", "x-risk", "b"), http.StatusOK)
		if seen := s.upstream.Seen(m)[0]["X-Risk"]; len(seen) != 1 || seen[0] != "ours" {
			t.Errorf("%v: the upstream saw %q", ours.AppendAction, seen)
		}
	}
}

func TestOurMutationRulesKeepFramingAndRouting(t *testing.T) {
	s := newStage(t, nil)
	protected := []*corev3.HeaderValueOption{
		header("x-forwarded-for", "203.0.113.9"), header("content-length", "999"), header("transfer-encoding", "chunked"),
		header("x-request-id", "mine"), header(":path", "/admin?status=418"), header("connection", "close"),
	}
	s.play(steps(make(chan error, 1), requestGoesOn(nil, append(protected, header("x-risk", "low"))...)))
	m := mark()
	s.wants(s.get(http1(t), "/", m), http.StatusOK)
	seen := s.upstream.Seen(m)[0]
	if seen.Get("x-risk") != "low" || strings.Contains(seen.Get("x-forwarded-for"), "203.0.113.9") || seen.Get("x-request-id") == "mine" {
		t.Errorf("the upstream saw %v", seen)
	}
	if n := envoytest.Stat(t, s.envoy, "http.clients.ext_proc.wonted.rejected_header_mutations"); n != len(protected) {
		t.Errorf("%d mutations were refused of %d", n, len(protected))
	}
}

func TestFactAnImmediateResponseNeedsAStatusAndEndsTheStream(t *testing.T) {
	s := newStage(t, nil)
	ended := make(chan error, 1)
	s.play(steps(ended, immediately(http.StatusForbidden)))
	m := mark()
	s.wants(s.get(http1(t), "/", m), http.StatusForbidden)
	if err := <-ended; status.Code(err) != codes.Canceled {
		t.Errorf("the stream ended with %v", err)
	}
	if log := s.logged(m); log.Details != "scripted_answer" {
		t.Errorf("details are %q", log.Details)
	}
	s.play(steps(ended, immediately(0)))
	s.wants(s.get(http1(t), "/", mark()), http.StatusOK) // a refusal that is none
}

func TestFactAStreamEndedWithoutAnAnswerLetsTheRequestPassEvenFailClosed(t *testing.T) {
	s := newStage(t, nil)
	s.play(func(stream pb.ExternalProcessor_ProcessServer) error {
		_, err := stream.Recv()
		return err
	})
	m := mark()
	s.wants(s.get(http1(t), "/", m), http.StatusOK)
	if len(s.upstream.Seen(m)) != 1 {
		t.Error("it did not reach the upstream")
	}
	s.play(func(stream pb.ExternalProcessor_ProcessServer) error {
		_, _ = stream.Recv()
		return status.Error(codes.Internal, "scripted")
	})
	m = mark()
	s.wants(s.get(http1(t), "/", m), http.StatusInternalServerError)
	if len(s.upstream.Seen(m)) != 0 {
		t.Error("an error let it through")
	}
}

func TestFactOnlyTheEndOfStreamMarkTellsAWholeBodyFromABrokenOne(t *testing.T) {
	s := newStage(t, nil)
	f := func(query string, whole bool) {
		t.Helper()
		ended, marked := make(chan error, 1), false
		s.play(streaming(ended, func(b *pb.HttpBody) { marked = marked || b.EndOfStream }))
		got := s.get(http1(t), "/?records=100&flush=50&pause=50ms"+query, mark())
		if (got.err == nil) != whole {
			t.Errorf("%q: the client's body ended with %v", query, got.err)
		}
		// Canceled for a whole body; Canceled or EOF, as the race goes, for a broken one.
		if err := <-ended; status.Code(err) != codes.Canceled && (whole || !errors.Is(err, io.EOF)) {
			t.Errorf("%q: the stream ended with %v", query, err)
		}
		if marked != whole {
			t.Errorf("%q: end_of_stream was seen: %v", query, marked)
		}
	}
	f("", true)
	f("&abort=60", false)
}

func TestFactAnAnswerOfAnotherPhaseIsAnError(t *testing.T) {
	s := newStage(t, nil)
	for name, answer := range map[string]*pb.ProcessingResponse{
		"of the response":              responseGoesOn(nil),
		"without a phase":              {ModeOverride: mode(headersSent, bodyNone)},
		"with a line break in a value": requestGoesOn(nil, header("x-risk", "a\r\nx-admin: 1")),
	} {
		s.play(steps(make(chan error, 1), answer))
		m := mark()
		if got := s.get(http1(t), "/", m); got.StatusCode != http.StatusInternalServerError || len(s.upstream.Seen(m)) != 0 {
			t.Errorf("an answer %s: the client got %d, the upstream %d", name, got.StatusCode, len(s.upstream.Seen(m)))
		}
	}
}

// refusing is a filter that refuses every request below a path.
func refusing(t testing.TB, path string) *hcmv3.HttpFilter {
	t.Helper()
	below := &matcherv3.PathMatcher{Rule: &matcherv3.PathMatcher_Path{Path: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: path}}}}
	return filter(t, "envoy.filters.http.rbac", &rbacv3.RBAC{Rules: &rbacconfigv3.RBAC{Action: rbacconfigv3.RBAC_DENY, Policies: map[string]*rbacconfigv3.Policy{
		"everyone": {
			Permissions: []*rbacconfigv3.Permission{{Rule: &rbacconfigv3.Permission_UrlPath{UrlPath: below}}},
			Principals:  []*rbacconfigv3.Principal{{Identifier: &rbacconfigv3.Principal_Any{Any: true}}},
		},
	}}})
}

// refuseFirst is a filter before wonted's that refuses everything.
func refuseFirst(t testing.TB) func(*hcmv3.HttpConnectionManager) {
	t.Helper()
	return func(m *hcmv3.HttpConnectionManager) {
		m.HttpFilters = slices.Insert(m.HttpFilters, 0, refusing(t, "/"))
	}
}

func TestFactARefusalBeforeTheFilterOpensAStreamOnlyIfResponseHeadersAreSent(t *testing.T) {
	f := func(response bool, streams int) {
		t.Helper()
		s := newStage(t, refuseFirst(t), func(o *envoy.Options) { o.ResponseHeaders = response })
		first := make(chan *pb.ProcessingRequest, 1)
		s.play(func(stream pb.ExternalProcessor_ProcessServer) error {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			first <- m
			return stream.Send(responseGoesOn(nil))
		})
		s.wants(s.get(http1(t), "/", mark()), http.StatusForbidden)
		if len(first) != streams {
			t.Fatalf("response headers asked for: %v; %d streams", response, len(first))
		}
		if streams == 1 && (<-first).GetResponseHeaders() == nil {
			t.Error("the stream did not begin with response headers")
		}
	}
	f(true, 1)
	f(false, 0)
}
