package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc"
	"github.com/wonted-project/wonted/extproc/identity"
)

// shown are the kinds whose metric is 1; /readyz must have as many warnings.
func shown(t *testing.T, s *service) string {
	t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	known := 0
	for _, f := range families {
		if f.GetName() != "wonted_misconfiguration" {
			continue
		}
		for _, m := range f.GetMetric() {
			known++
			if m.GetGauge().GetValue() == 1 {
				kinds = append(kinds, m.GetLabel()[0].GetValue())
			}
		}
	}
	if known != len(misconfigurations) {
		t.Errorf("%d kinds in the metric, want %d", known, len(misconfigurations))
	}
	if texts := s.misconfigured(); len(texts) != len(kinds) {
		t.Errorf("the metric shows %v, readiness %q", kinds, texts)
	}
	return strings.Join(kinds, " ")
}

// traffic is one exchange as some Envoy sends it.
type traffic struct {
	source    string // the attribute source.address
	token     bool
	namespace string // of metadata
	silent    bool   // no response comes
}

// play plays it n times, over the real stream.
func (tr traffic) play(t *testing.T, client extprocv3.ExternalProcessorClient, n int) {
	t.Helper()
	headers := []string{":method", "GET", ":scheme", "http", ":authority", "api.example", ":path", "/v1/orders"}
	if tr.token {
		headers = append(headers, "authorization", "Bearer eyJh")
	}
	messages := []*extprocv3.ProcessingRequest{{
		Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: httpHeaders(true, headers...)},
	}}
	if tr.source != "" {
		messages[0].Attributes = map[string]*structpb.Struct{
			"envoy.filters.http.ext_proc": must(structpb.NewStruct(map[string]any{"source.address": tr.source}))}
	}
	if tr.namespace != "" {
		messages[0].MetadataContext = &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{tr.namespace: {}}}
	}
	if !tr.silent {
		messages = append(messages, &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
			ResponseHeaders: httpHeaders(true, ":status", "200")}})
	}
	for range n {
		stream := must(client.Process(t.Context()))
		for _, m := range messages {
			if err := stream.Send(m); err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		stream.CloseSend()
		for err := error(nil); err == nil; {
			_, err = stream.Recv()
		}
	}
}

// What Envoy sends, or does not send, shows under its kind; and no longer once
// it was mended, where that can be told at once.
func TestMisconfigurationShows(t *testing.T) {
	const other = "company.auth"
	byClaim := identity.Config{{Kind: "caller", JWTClaim: "sub"}, {Kind: "caller", Address: true}}
	byOther := identity.Config{{Kind: "caller", Metadata: other + ":user"}}
	const address = "192.0.2.7:40000"

	f := func(what string, rules identity.Config, n int, bad traffic, want string, good traffic, then string) {
		t.Helper()
		cfg := config.Default()
		cfg.Identity, cfg.Depth = rules, config.Headers
		s, err := newService(cfg, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		defer s.store.Close()
		client := s.behindASocket(t)
		bad.play(t, client, n)
		if got := shown(t, s); got != want {
			t.Errorf("%s: %q shows, want %q", what, got, want)
		}
		good.play(t, client, 1)
		if got := shown(t, s); got != then {
			t.Errorf("%s, mended: %q shows, want %q", what, got, then)
		}
	}
	std, good := identity.Default(), traffic{source: address}
	f("all well", std, enough, good, "", good, "")
	f("no override", std, enough, traffic{source: address, silent: true}, "mode_override", good, "")
	f("clients that went away", std, enough-1, traffic{source: address, silent: true}, "", good, "")
	f("no attributes", std, enough, traffic{}, "attributes", good, "attributes")
	f("some without", std, enough-1, traffic{}, "", good, "")
	f("a header's address", std, 1, traffic{source: "192.0.2.7:0"}, "source_address", good, "source_address")

	f("no claims", byClaim, enough, traffic{source: address, token: true}, "metadata", traffic{source: address, token: true, namespace: verifiedTokens}, "")
	f("nobody has a token", byClaim, enough, good, "", good, "")
	f("no metadata", byOther, enough, good, "metadata", traffic{source: address, namespace: other}, "")
	f("another's metadata", byOther, enough, traffic{source: address, namespace: verifiedTokens}, "metadata", good, "metadata")
	f("nobody asked for claims", std, enough, traffic{source: address, token: true}, "", good, "")
}

// The signs that a stream cannot give here; package extproc tests where they
// come from.
func TestMisconfigurationOfStats(t *testing.T) {
	f := func(kind string, st extproc.Stats, want string) {
		t.Helper()
		for _, m := range misconfigurations {
			got := m.sign(&service{cfg: config.Default()}, st)
			if m.kind != kind && got != "" || m.kind == kind && (want == "") != (got == "") || m.kind == kind && !strings.Contains(got, want) {
				t.Errorf("%s of %+v: %q, want %q in it", m.kind, st, got, want)
			}
		}
	}
	f("message_timeout", extproc.Stats{Late: 9, LateAfter: 12 * time.Millisecond}, "")
	f("message_timeout", extproc.Stats{Late: 10, LateAfter: 12 * time.Millisecond}, "10 answers came too late, when Envoy had given up, some after 12ms already: set message_timeout")
	f("clock", extproc.Stats{Ahead: 90 * time.Minute}, "set back by 1h30m0s")
	f("clock", extproc.Stats{}, "")
	f("mode_override", extproc.Stats{Bodiless: enough - 1}, "")
	f("mode_override", extproc.Stats{Bodiless: enough}, "100 requests whose operation is in their body, and not one body")
	f("access_log", extproc.Stats{Opened: enough - 1}, "")
	f("access_log", extproc.Stats{Opened: enough}, "100 exchanges and not one entry of an access log, which tells how they ended at depth adaptive")
	f("access_log", extproc.Stats{Opened: enough, Entries: 1}, "")
	f("access_log", extproc.Stats{Opened: enough, Entries: 1, Lost: enough}, "100 exchanges that the access log did not tell the end of")
}

func TestWhatNobodyHasSeenIsSaid(t *testing.T) {
	f := func(depth config.Depth, st extproc.Stats, want ...string) {
		t.Helper()
		got := unseen(depth, st)
		if len(got) != len(want) {
			t.Fatalf("depth %s, %+v: %q, want %q", depth, st, got, want)
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("depth %s, %+v: %q, want %q in it", depth, st, got[i], want[i])
			}
		}
	}
	f(config.Adaptive, extproc.Stats{})
	f(config.Adaptive, extproc.Stats{Entries: 9, Unprotected: 7}, "7 requests lately reached an upstream unjudged")
	f(config.Log, extproc.Stats{}, "no entry of an access log has come yet")
	f(config.Log, extproc.Stats{Entries: 1})
}

func (s *service) behindASocket(t *testing.T) extprocv3.ExternalProcessorClient {
	t.Helper()
	l := must(net.Listen("unix", filepath.Join(shortDir(t), "s")))
	server := grpc.NewServer(extproc.ServerOptions()...)
	s.stream.Register(server)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	conn := must(grpc.NewClient("unix://"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())))
	t.Cleanup(func() { conn.Close() })
	return extprocv3.NewExternalProcessorClient(conn)
}
