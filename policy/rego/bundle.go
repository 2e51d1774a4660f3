package rego

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/plugins"
	bundles "github.com/open-policy-agent/opa/v1/plugins/bundle"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/rs/zerolog"
)

// BundleSource says where a policy is fetched from as an OPA bundle, how it is
// proved, and where the last good one is kept.
type BundleSource struct {
	Server
	Signing  Signing       // zero: signatures are not asked for
	Min, Max time.Duration // between two requests, in whole seconds
	Wait     time.Duration // how long the server is asked to hold a request until there is news; 0: not
	MaxBytes int64         // of a bundle, unpacked
	Dir      string        // below which the last good bundle is kept, as bundles/policy/bundle.tar.gz; "": nowhere
	Log      zerolog.Logger
}

// Server is who is asked, or told.
type Server struct {
	URL     string        // http or https
	Token   string        // file with a bearer token, read for each request; "": none
	CA      string        // file of PEM certificates that vouch for the server; "": the system's
	Timeout time.Duration // of one request, with its body
}

// Signing is what a bundle must be signed with.
type Signing struct {
	Key       string // file: a public key in PEM, or the secret of an HMAC; "": signatures are not asked for
	Algorithm string // RS256, ES256, HS256 and so on
	Scope     string // that the signature must name; "": any
}

// Bundle follows the policy of a bundle server, by OPA's own bundle plugin: it
// polls with ETags, holds requests where the server can, verifies signatures,
// and keeps the last good bundle on disk. What the plugin accepts is not
// activated by it but becomes an Engine, made as Load makes one; what makes no
// Engine is refused, and is neither put in force nor kept.
type Bundle struct {
	src     BundleSource
	beside  func(work func())
	manager *plugins.Manager

	mu       sync.Mutex
	current  *Engine        // the last good one
	refused  *bundle.Bundle // the last bad one, with why: the plugin tries a kept one ten times
	why      error
	fresh    bool  // current has come since the plugin last told how it went
	asked    bool  // the server has been
	failure  error // of the latest request
	first    chan struct{}
	onChange func(*Engine, error) // nil: nobody watches yet
}

// OpenBundle starts to follow src, and waits until there is a policy: the kept
// one at once, else the server's. The error is why there is none when ctx ends.
// beside is as for Watch.
func OpenBundle(ctx context.Context, src BundleSource, beside func(work func())) (*Bundle, error) {
	return openBundle(ctx, src, beside, plugins.TriggerPeriodic)
}

func openBundle(ctx context.Context, src BundleSource, beside func(work func()), trigger plugins.TriggerMode) (*Bundle, error) {
	b := &Bundle{src: src, beside: beside, first: make(chan struct{})}
	if err := b.start(trigger); err != nil {
		return nil, fmt.Errorf("policy bundle %s: %w", src.URL, err)
	}
	if trigger == plugins.TriggerManual && b.Engine() == nil {
		_ = b.fetch(ctx) // failure has it
		var end context.CancelFunc
		ctx, end = context.WithCancel(ctx)
		end()
	}
	select {
	case <-b.first: // even if ctx has ended meanwhile
	case <-ctx.Done():
	}
	if b.Engine() != nil {
		return b, nil
	}
	b.manager.Stop(context.Background())
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failure != nil {
		return nil, b.failure
	}
	return nil, fmt.Errorf("policy bundle %s: the server has not answered in time", src.URL)
}

// start makes OPA's manager with its bundle plugin.
func (b *Bundle) start(trigger plugins.TriggerMode) error {
	registerActivator()
	fetch, err := newFetcher(b.src.Server, b.src.Wait, b.src.MaxBytes)
	if err != nil {
		return err
	}
	cfg, err := b.src.config(fetch, trigger)
	if err != nil {
		return err
	}
	log := &opaLog{log: b.src.Log, about: "policy bundle"}
	log.loud.Store(true) // what a kept bundle is refused for is told here alone
	store := &activation{Store: inmem.New(), activate: b.activate}
	if b.manager, err = plugins.New(cfg.manager, "wonted", store, plugins.Logger(log)); err != nil {
		return err
	}
	parsed, err := bundles.NewConfigBuilder().WithBytes(cfg.bundles).WithServices(b.manager.Services()).
		WithKeyConfigs(b.manager.PublicKeys()).WithTriggerMode(&trigger).Parse()
	if err != nil {
		return err
	}
	b.manager.Register(fetcherName, fetch)
	plugin := bundles.New(parsed, b.manager)
	plugin.Register(b, b.heard)
	b.manager.Register(bundles.Name, plugin)
	err = b.manager.Start(context.Background())
	log.loud.Store(false)
	return err
}

// fetch asks the server once, now; where the source is polled by nobody.
func (b *Bundle) fetch(ctx context.Context) error {
	return bundles.Lookup(b.manager).Trigger(ctx)
}

// Engine is the policy in force.
func (b *Bundle) Engine() *Engine {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

// Watch tells onChange how every request to the server went, until ctx ends, and
// then stops to follow the source: the policy in force, be it a new one or not
// (its Revision tells), or why there is no newer one. It is never called twice
// at once, and first for what has happened before Watch began.
func (b *Bundle) Watch(ctx context.Context, onChange func(*Engine, error)) {
	b.mu.Lock()
	b.onChange = onChange
	if b.asked {
		b.tell()
	}
	b.mu.Unlock()
	<-ctx.Done()
	b.manager.Stop(context.Background())
}

// heard is how one request to the server went, by the plugin.
func (b *Bundle) heard(st bundles.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if st.Code != "" {
		err = errors.New(st.Message)
		if len(st.Errors) > 0 {
			err = errors.Join(st.Errors...)
		}
		err = fmt.Errorf("policy bundle %s: %w", b.src.URL, err)
		if b.fresh && st.LastSuccessfulDownload.Equal(st.LastRequest) {
			err = fmt.Errorf("it is in force and could not be kept: %w", err)
		}
	}
	b.asked, b.failure, b.fresh = true, err, false
	b.tell()
}

// tell is for who holds mu.
func (b *Bundle) tell() {
	switch {
	case b.onChange == nil:
	case b.failure != nil:
		b.onChange(nil, b.failure)
	default:
		b.onChange(b.current, nil)
	}
}

// activate makes the policy of a bundle that the plugin has fetched or found.
func (b *Bundle) activate(got *bundle.Bundle) (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if got == b.refused {
		return b.why
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it makes OPA panic: %v", p)
		}
		if err != nil {
			b.refused, b.why, b.fresh = got, err, false
		}
	}()
	if b.current != nil && older(got.Manifest.Revision, b.current.bundle) {
		return fmt.Errorf("revision %s is older than %s, which is in force", got.Manifest.Revision, b.current.bundle)
	}
	f, err := unpack(got)
	if err != nil {
		return err
	}
	if b.current != nil && f.revision == b.current.revision {
		b.fresh = true
		return nil
	}
	var e *Engine
	b.beside(func() { e, err = f.engine() })
	if err != nil {
		return err
	}
	if b.current == nil {
		close(b.first)
	}
	b.current, b.fresh, b.refused = e, true, nil
	if b.onChange != nil {
		b.onChange(e, nil)
	}
	return nil
}
