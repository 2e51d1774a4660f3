package main

import (
	"bytes"
	"slices"
	"sync/atomic"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring"
)

// resolver lets a reload exchange the identity rules under traffic, and looks
// out for what shows that Envoy does not send what they need.
type resolver struct {
	atomic.Pointer[identity.Resolver]
	trusting  bool             // proxies in front of Envoy may say where a request comes from
	forwarded extproc.Sighting // Envoy has taken an address from X-Forwarded-For
	expected  []*expectation
}

// expectation is of metadata that the operator's rules read.
type expectation struct {
	namespace string
	missing   atomic.Uint64 // exchanges in a row that should have had it
}

// verifiedTokens is the namespace of Envoy's jwt_authn filter. It is there only
// where a request has a token.
const verifiedTokens = "envoy.filters.http.jwt_authn"

// expect says what to look out for. The default rules read a claim where there
// is one, and expect none.
func (r *resolver) expect(cfg *config.Config) {
	r.trusting = cfg.TrustedProxies > 0
	if slices.Equal(cfg.Identity, identity.Default()) {
		return
	}
	for _, n := range cfg.Identity.Namespaces() {
		r.expected = append(r.expected, &expectation{namespace: n})
	}
}

// Resolve implements extproc.Resolver.
func (r *resolver) Resolve(ex *scoring.Exchange) {
	// Envoy gives the port of a connection, and 0 with an address that it took
	// from a header.
	if !r.trusting && bytes.HasSuffix(ex.Source, []byte(":0")) {
		r.forwarded.See(ex.Time)
	}
	for _, e := range r.expected {
		e.look(ex)
	}
	r.Load().Resolve(ex)
}

// Subject implements extproc.Resolver.
func (r *resolver) Subject(ex *scoring.Exchange, name []byte) { r.Load().Subject(ex, name) }

func (e *expectation) look(ex *scoring.Exchange) {
	for i := range ex.Metadata {
		if string(ex.Metadata[i].Name) == e.namespace {
			if e.missing.Load() != 0 { // read before write: the cache line stays shared
				e.missing.Store(0)
			}
			return
		}
	}
	if e.namespace == verifiedTokens && !hasToken(ex) {
		return
	}
	e.missing.Add(1)
}

func hasToken(ex *scoring.Exchange) bool {
	for i := range ex.Headers {
		if string(ex.Headers[i].Name) == "authorization" {
			return true
		}
	}
	return false
}
