package main

import (
	"bytes"
	"sync/atomic"

	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring"
)

// resolver lets a reload exchange the identity rules under traffic, and looks
// out for a source address that the client writes.
type resolver struct {
	atomic.Pointer[identity.Resolver]
	forwarded atomic.Bool // Envoy has taken an address from X-Forwarded-For
}

// Resolve implements extproc.Resolver.
func (r *resolver) Resolve(ex *scoring.Exchange) {
	// Envoy gives the port of a connection, and 0 with an address that it took
	// from a header. Read before write: the flag's cache line stays shared.
	if bytes.HasSuffix(ex.Source, []byte(":0")) && !r.forwarded.Load() {
		r.forwarded.Store(true)
	}
	r.Load().Resolve(ex)
}
