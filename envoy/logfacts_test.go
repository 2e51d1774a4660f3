package envoy_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	logv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	pb "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	extprocpb "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about Envoy alone: what its access log says, on
// which the depths log, lean and adaptive rely.

// logbook is an access log server that keeps what it is told, in the generated
// types.
type logbook struct {
	pb.UnimplementedAccessLogServiceServer
	mu      sync.Mutex
	name    string
	entries []*logv3.HTTPAccessLogEntry
}

func (b *logbook) StreamAccessLogs(stream pb.AccessLogService_StreamAccessLogsServer) error {
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		b.mu.Lock()
		if m.Identifier != nil { // in a stream's first message only
			b.name = m.Identifier.LogName
		}
		b.entries = append(b.entries, m.GetHttpLogs().GetLogEntry()...)
		b.mu.Unlock()
	}
}

// told waits for so many entries about a mark, and no more.
func (s *stage) told(mark string, n int) []*logv3.HTTPAccessLogEntry {
	s.Helper()
	var found []*logv3.HTTPAccessLogEntry
	envoytest.Eventually(s, "the entries of the access log", func() error {
		s.logbook.mu.Lock()
		defer s.logbook.mu.Unlock()
		found = nil
		for _, e := range s.logbook.entries {
			if strings.Contains(e.Request.GetPath(), "mark="+mark) {
				found = append(found, e)
			}
		}
		if len(found) < n {
			return fmt.Errorf("%d of %d have come", len(found), n)
		}
		return nil
	})
	if len(found) > n {
		s.Errorf("%d entries, want %d", len(found), n)
	}
	return found
}

func atDepth(d envoy.Depth) func(*envoy.Options) { return func(o *envoy.Options) { o.Depth = d } }

func TestFactAnEntryIsOfOnePassThroughTheFilters(t *testing.T) {
	u := &turns{asked: map[string][]string{}}
	s := newStage(t, func(m *hcmv3.HttpConnectionManager) {
		r := m.GetRouteConfig().VirtualHosts[0].Routes[0].GetRoute()
		r.InternalRedirectPolicy = &routev3.InternalRedirectPolicy{}
		r.RetryPolicy = &routev3.RetryPolicy{RetryOn: "5xx", NumRetries: wrapperspb.UInt32(2)}
	}, atDepth(envoy.DepthLog), func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, u) })

	m := mark() // two attempts, and the caller asked once
	u.then(code(500), code(200))
	s.wants(s.get(http1(t), "/a", m, "x-api-key", m), http.StatusOK)
	if e := s.told(m, 1)[0]; e.CommonProperties.UpstreamRequestAttemptCount != 2 || e.Response.ResponseCode.GetValue() != http.StatusOK {
		t.Errorf("two attempts: %v", e)
	}

	m = mark() // what was redirected is told apart, and by then has the new path
	u.then(code(302, "location", s.envoy.URL()+"/b?mark="+m), code(200))
	s.wants(s.get(http1(t), "/a", m, "x-api-key", m), http.StatusOK)
	var details []string
	for _, e := range s.told(m, 2) {
		details = append(details, e.Response.ResponseCodeDetails+" "+e.Request.Path)
	}
	if got, want := strings.Join(details, ", "), "internal_redirect /b?mark="+m+", via_upstream /b?mark="+m; got != want {
		t.Errorf("a redirect: %q, want %q", got, want)
	}
}

func TestFactAnEntryTellsHowItEnded(t *testing.T) {
	s := newStage(t, nil, atDepth(envoy.DepthLog))
	f := func(name string, request func(mark string), want func(*logv3.HTTPAccessLogEntry) bool) {
		t.Helper()
		m := mark()
		request(m)
		if e := s.told(m, 1)[0]; !want(e) {
			t.Errorf("%s: %v", name, e)
		}
	}
	c := http1(t)
	f("without a body", func(m string) { _, _ = c.do(http.MethodHead, s.envoy.URL()+"/?bytes=100&declare=1&mark="+m) },
		func(e *logv3.HTTPAccessLogEntry) bool {
			return e.Request.RequestMethod == corev3.RequestMethod_HEAD && e.Response.ResponseBodyBytes == 0
		})
	f("cut off by the upstream", func(m string) { s.get(c, "/?records=100&flush=10&pause=5ms&abort=50", m) },
		func(e *logv3.HTTPAccessLogEntry) bool {
			return e.Response.ResponseCode.GetValue() == http.StatusOK && e.Response.ResponseBodyBytes > 0 &&
				// a flag that depends on the protocol, and a word that does not
				e.CommonProperties.ResponseFlags != nil && strings.HasPrefix(e.Response.ResponseCodeDetails, "upstream_reset_after_response_started")
		})
	f("left by the client", func(m string) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.Do(download(t, ctx, s.envoy.URL()+"/?wait=1m&mark="+m, "key")); err == nil {
			t.Error("it was answered")
		}
	}, func(e *logv3.HTTPAccessLogEntry) bool {
		return e.Response.ResponseCode == nil && e.CommonProperties.ResponseFlags.GetDownstreamConnectionTermination()
	})
	if s.logbook.name != envoy.LogName {
		t.Errorf("the log calls itself %q", s.logbook.name)
	}

	// What Envoy cannot read has no method and no path; no filter ever saw it.
	s.wants(s.get(c, "/", mark(), "x-long", strings.Repeat("k", 70_000)), http.StatusRequestHeaderFieldsTooLarge)
	envoytest.Eventually(t, "its entry", func() error {
		s.logbook.mu.Lock()
		defer s.logbook.mu.Unlock()
		for _, e := range s.logbook.entries {
			if e.Response.ResponseCode.GetValue() == http.StatusRequestHeaderFieldsTooLarge {
				if e.Request.Path != "" || e.Request.RequestMethod != corev3.RequestMethod_METHOD_UNSPECIFIED {
					return envoytest.Hopeless(fmt.Errorf("%v", e))
				}
				return nil
			}
		}
		return errors.New("none has come")
	})
}

func TestFactAnEntryJoinsWhatWasSentTwice(t *testing.T) {
	s := newStage(t, nil, atDepth(envoy.DepthLog))
	m := mark()
	s.get(http1(t), "/", m, "x-api-key", "a", "x-api-key", "b", "cookie", "a=1", "cookie", "b=2", "authorization", "\xffraw")
	got := s.told(m, 1)[0].Request.RequestHeaders
	for name, want := range map[string]string{
		"x-api-key": "a,b", "cookie": "a=1,b=2", // as one value, over HTTP/1.1
		"authorization": "!raw", // UTF-8 is made of it
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestFactAnEntryNamesTheDeviceAndTheClientsCertificate(t *testing.T) {
	ca := newAuthority(t)
	server, files := ca.server(t), ca.client(t, "spiffe://example.com/batch")
	s := newStage(t, nil, atDepth(envoy.DepthLog), func(o *envoy.Options) {
		o.TLS = &envoy.TLS{Certificate: server.certificate, Key: server.key, ClientCA: ca.certificate}
	})
	certificate, err := tls.LoadX509KeyPair(files.certificate, files.key)
	if err != nil {
		t.Fatal(err)
	}
	c := overTLS(t, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{certificate}})
	m := mark()
	if _, err := c.do(http.MethodGet, "https://"+s.envoy.Address()+"/?mark="+m, envoy.JA4Key, "t13forged"); err != nil {
		t.Fatal(err)
	}
	common := s.told(m, 1)[0].CommonProperties
	if ja4 := common.CustomTags[envoy.JA4Key]; !strings.HasPrefix(ja4, "t13") || strings.Contains(ja4, "forged") {
		t.Errorf("the fingerprint is %q", ja4)
	}
	names := common.TlsProperties.GetPeerCertificateProperties().GetSubjectAltName()
	if len(names) != 1 || names[0].GetUri() != "spiffe://example.com/batch" {
		t.Errorf("the certificate has the names %v", names)
	}
}

// What a processor says about an exchange comes back in its entry, by which
// the two are matched.
func TestFactAnEntryCarriesWhatTheProcessorSaid(t *testing.T) {
	s := newStage(t, nil, atDepth(envoy.DepthLean))
	said, err := structpb.NewStruct(map[string]any{envoy.MetadataNamespace: map[string]any{"id": "of the exchange"}})
	if err != nil {
		t.Fatal(err)
	}
	f := func(answer *extprocpb.ProcessingResponse, status int) {
		t.Helper()
		answer.DynamicMetadata = said
		s.play(steps(make(chan error, 1), answer))
		m := mark()
		s.wants(s.get(http1(t), "/", m), status)
		e := s.told(m, 1)[0]
		got := e.CommonProperties.Metadata.GetFilterMetadata()[envoy.MetadataNamespace]
		if got.GetFields()["id"].GetStringValue() != "of the exchange" || int(e.Response.ResponseCode.GetValue()) != status {
			t.Errorf("the entry of what was answered %d: %v", status, e)
		}
	}
	f(requestGoesOn(nil), http.StatusOK)
	f(immediately(http.StatusForbidden), http.StatusForbidden)
	// Who is calling is in no log where wonted is asked anyhow.
	for _, e := range s.logbook.entries {
		if len(e.Request.RequestHeaders) > 0 {
			t.Errorf("an entry at depth lean has request headers: %v", e.Request.RequestHeaders)
		}
	}
}
