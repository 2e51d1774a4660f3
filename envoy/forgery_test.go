package envoy_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about who wonted takes a client for. The policy
// tells: it writes what it knows of the client into response headers.

var whoami = rego(
	`response_headers contains {"name": "x-id", "value": input.identity.id}`,
	`response_headers contains {"name": "x-kind", "value": input.identity.kind}`,
	`response_headers contains {"name": "x-verified", "value": sprintf("%v", [input.identity.verified])}`,
	`response_headers contains {"name": "x-source", "value": input.source.address}`,
	`response_headers contains {"name": "x-device", "value": input.device.id}`,
	`response_headers contains {"name": "x-ja4", "value": input.device.ja4}`,
)

// seen is who wonted took the sender of these headers for.
type seen struct{ id, kind, verified, source, device, ja4 string }

func (s *scene) whoami(c client, headers ...string) seen {
	s.Helper()
	got := s.get(c, "/", mark(), append([]string{"user-agent", "test/1.0"}, headers...)...)
	s.wants(got, http.StatusOK)
	h := got.Header.Get
	who := seen{h("x-id"), h("x-kind"), h("x-verified"), h("x-source"), h("x-device"), h("x-ja4")}
	if who.id == "" || who.source == "" || who.device == "" {
		s.Fatalf("the policy does not tell who the client is: %+v", who)
	}
	return who
}

func TestAForgedXForwardedForChangesNothing(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: whoami})
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		honest := s.whoami(c)
		if honest.source != "127.0.0.1" || honest.kind != "caller" {
			t.Fatalf("%s: %+v", name, honest)
		}
		for _, forged := range [][]string{
			{"x-forwarded-for", "203.0.113.9"},
			{"x-forwarded-for", "203.0.113.9, 198.51.100.7", "x-forwarded-for", "192.0.2.1"},
			{"forwarded", "for=203.0.113.9"}, {"x-real-ip", "203.0.113.9"}, {"true-client-ip", "203.0.113.9"},
			{"x-envoy-external-address", "203.0.113.9"},
		} {
			if got := s.whoami(c, forged...); got != honest {
				t.Errorf("%s: %q made %+v of %+v", name, forged, got, honest)
			}
		}
	}
}

func TestATrustedProxysXForwardedForIsBelievedAndNoFurther(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: whoami, More: "trusted_proxies: 1\n"}, func(o *envoy.Options) { o.TrustedProxies = 1 })
	c := http1(t)
	told := s.whoami(c, "x-forwarded-for", "203.0.113.9")
	if told.source != "203.0.113.9" {
		t.Errorf("the trusted proxy's word was not taken: %+v", told)
	}
	if forged := s.whoami(c, "x-forwarded-for", "198.51.100.7, 203.0.113.9"); forged != told {
		t.Errorf("what stood before the proxy's word made %+v of %+v", forged, told)
	}
}

func TestForgedWontedHeadersChangeNothingAndGoNoFurther(t *testing.T) {
	forged := []string{"x-wonted-ja4", "t13d1516h2_8daaf6152771_b186095e22b6", "x-wonted-identity", "admin", "X-Wonted-Score", "0", "x_wonted_score", "0"}
	f := func(name string, s *scene) {
		t.Helper()
		c := http1(t)
		honest := s.whoami(c)
		if got := s.whoami(c, forged...); got != honest || got.ja4 != "" {
			t.Errorf("%s: made %+v of %+v", name, got, honest)
		}
		m := mark()
		s.wants(s.get(c, "/", m, forged...), http.StatusOK)
		for header := range s.upstream.Seen(m)[0] {
			if strings.HasPrefix(strings.ReplaceAll(strings.ToLower(header), "_", "-"), "x-wonted-") {
				t.Errorf("%s: the upstream was sent a forged %s", name, header)
			}
		}
	}
	f("our Envoy", set(t, envoytest.Settings{Policy: whoami}))
	f("an Envoy that lets them in", setEdited(t, func(b *bootstrapv3.Bootstrap) {
		editManager(t, b, func(m *hcmv3.HttpConnectionManager) { m.EarlyHeaderMutationExtensions = nil })
	}, envoytest.Settings{Policy: whoami}))
}

// While wonted is away nobody but Envoy can drop what is forged in its name.
func TestForgedWontedHeadersGoNoFurtherWhileWontedIsAway(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: whoami}, func(o *envoy.Options) { o.FailOpen = true })
	s.wonted.Kill()
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		m := mark()
		s.wants(s.get(c, "/", m, "x-wonted-score", "0", "X_Wonted_Score", "0", "x_wonted-identity", "admin", "x-wonted_ja4", "t13",
			"x-wontedly", "kept", "not-x-wonted-score", "kept"), http.StatusOK)
		kept := 0
		for header := range s.upstream.Seen(m)[0] {
			switch plain := strings.ReplaceAll(strings.ToLower(header), "_", "-"); {
			case strings.HasPrefix(plain, "x-wonted-"):
				t.Errorf("%s: the upstream was sent a forged %s", name, header)
			case strings.Contains(plain, "x-wonted"):
				kept++
			}
		}
		if kept != 2 {
			t.Errorf("%s: %d of 2 headers of others were kept", name, kept)
		}
	}
}

func TestUnverifiedClaimsChangeNothing(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: whoami})
	c, part := http1(t), base64.RawURLEncoding.EncodeToString
	forged := part([]byte(`{"alg":"none"}`)) + "." + part([]byte(`{"sub":"alice"}`)) + "."
	honest := s.whoami(c)
	if got := s.whoami(c, "authorization", "Bearer "+forged); got != honest {
		t.Errorf("a token that nobody verified made %+v of %+v", got, honest)
	}
	keyed := s.whoami(c, "x-api-key", "k-1")
	if got := s.whoami(c, "x-api-key", "k-1", "authorization", "Bearer "+forged); got != keyed {
		t.Errorf("beside an API key it made %+v of %+v", got, keyed)
	}
}

func TestAVerifiedClaimWinsOverAnAPIKey(t *testing.T) {
	login := newIssuer(t)
	s := set(t, envoytest.Settings{Policy: whoami}, func(o *envoy.Options) { o.JWT = []envoy.JWT{login.options(t)} })
	c := http1(t)
	alice := s.whoami(c, "authorization", "Bearer "+login.token(t, "alice"))
	if alice.verified != "true" || alice.kind != "caller" {
		t.Fatalf("a verified token gave %+v", alice)
	}
	// A fresh key a request must not make a stolen token a fresh caller.
	for _, key := range []string{"k-1", "k-2"} {
		if got := s.whoami(c, "x-api-key", key, "authorization", "Bearer "+login.token(t, "alice")); got != alice {
			t.Errorf("x-api-key %s made %+v of %+v", key, got, alice)
		}
	}
	if bob := s.whoami(c, "authorization", "Bearer "+login.token(t, "bob")); bob.id == alice.id {
		t.Error("alice and bob are one caller")
	}
	if keyed := s.whoami(c, "x-api-key", "k-1"); keyed.verified != "false" || keyed.id == alice.id {
		t.Errorf("an API key alone gave %+v", keyed)
	}
	m := mark()
	s.wants(s.get(c, "/", m, "authorization", "Bearer "+newIssuer(t).token(t, "alice")), http.StatusUnauthorized)
	if n := len(s.upstream.Seen(m)); n != 0 {
		t.Error("a token with a forged signature reached the upstream")
	}
}

func TestAClientCertificateNamesTheCallerAndTLSTheDevice(t *testing.T) {
	ca := newAuthority(t)
	server := ca.server(t)
	settings := envoytest.Settings{Policy: whoami, More: "identity:\n- {kind: caller, header: x-api-key}\n- {kind: caller, mtls_san: true}\n- {kind: caller, address: true}\n"}
	s := set(t, settings, func(o *envoy.Options) {
		o.TLS = &envoy.TLS{Certificate: server.certificate, Key: server.key, ClientCA: ca.certificate}
	})
	pem, err := os.ReadFile(ca.certificate)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(pem)
	with := func(spiffe string) client {
		t.Helper()
		config := &tls.Config{RootCAs: trust}
		if spiffe != "" {
			files := ca.client(t, spiffe)
			certificate, err := tls.LoadX509KeyPair(files.certificate, files.key)
			if err != nil {
				t.Fatal(err)
			}
			config.Certificates = []tls.Certificate{certificate}
		}
		return overTLS(t, config)
	}
	batch := s.whoami(with("spiffe://example.com/batch"))
	if batch.verified != "true" || batch.kind != "caller" {
		t.Errorf("a verified certificate gave %+v", batch)
	}
	if !strings.HasPrefix(batch.ja4, "t1") {
		t.Errorf("the TLS fingerprint is %q", batch.ja4)
	}
	if again := s.whoami(with("spiffe://example.com/batch"), "x-api-key", "k-9", "x-wonted-ja4", "t13forged"); again != batch {
		t.Errorf("a key and a forged fingerprint made %+v of %+v", again, batch)
	}
	if other := s.whoami(with("spiffe://example.com/shop")); other.id == batch.id {
		t.Error("two workloads are one caller")
	}
	if none := s.whoami(with("")); none.verified != "false" || none.id == batch.id {
		t.Errorf("no certificate gave %+v", none)
	}
}
