package edge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
)

// Source knows who is in quarantine.
type Source interface {
	// Edge are the addresses and networks that are to be refused now, in any
	// order.
	Edge() []netip.Prefix
	// Watch has f called after each change of them. f returns at once.
	Watch(f func())
}

// Config of a Publisher.
type Config struct {
	Source Source
	// Private addresses are clients', too.
	Private bool
	// File is kept for Envoys that watch it; "": none. xDS is served anyway.
	File string
	// Trouble takes what an operator must know, and "" once it is over.
	Trouble    func(text string)
	Log        zerolog.Logger
	Registerer prometheus.Registerer
}

// Publisher keeps Envoy's list in step with its source's.
type Publisher struct {
	cfg     Config
	guard   guard
	metrics *metrics
	xds     *xds
	changed chan struct{} // holds one: there is something to publish
	closed  chan struct{}
	once    sync.Once

	said   string // the trouble that was told last
	latest string // the version that was published last; "": nothing yet
}

// New makes a publisher, which tells nothing before Run.
func New(cfg Config) *Publisher {
	p := &Publisher{cfg: cfg, guard: newGuard(cfg.Private), metrics: newMetrics(cfg.Registerer), changed: make(chan struct{}, 1), closed: make(chan struct{})}
	p.xds = newXDS(p.metrics, p.rejected)
	cfg.Source.Watch(p.Refresh)
	return p
}

// Register adds the discovery service to a server.
func (p *Publisher) Register(g *grpc.Server) { p.xds.register(g) }

// Refresh publishes anew soon, if anything has changed. It may be called at any
// time, from anywhere.
func (p *Publisher) Refresh() {
	select {
	case p.changed <- struct{}{}:
	default: // whoever takes the one that is waiting sees this change as well
	}
}

// Close ends the streams, which would last for ever, and Run: Envoy asks
// whoever serves next, and holds on to what it was told last.
func (p *Publisher) Close() {
	p.once.Do(func() {
		close(p.closed)
		p.xds.close()
	})
}

const (
	// rest is the least time between two publications, so that many changes at
	// once travel together; a long list rests for longer, or a quick succession
	// of changes would keep both sides busy with nothing else.
	rest      = 10 * time.Millisecond
	restShare = 4 // times what the publication took

	// retry is for when the file could not be written.
	retry = time.Second
)

// Run publishes what is in force, and from then on every change, until ctx is
// done or the publisher is closed.
func (p *Publisher) Run(ctx context.Context) {
	p.Refresh()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-p.changed:
		case <-ctx.Done():
			return
		case <-p.closed:
			return
		}
		begun := time.Now()
		wait := rest
		if err := p.publish(); err != nil {
			wait = retry
			p.Refresh()
		}
		pause.Reset(max(wait, restShare*time.Since(begun)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		case <-p.closed:
			return
		}
	}
}

// publish tells what is in force now, unless it is what was told last.
func (p *Publisher) publish() error {
	blocks, refused := p.guard.admit(p.cfg.Source.Edge())
	next := newState(blocks)
	if next.version == p.latest {
		p.tell(refused, nil)
		return nil
	}
	err := p.xds.set(next)
	if p.cfg.File != "" {
		err = errors.Join(err, writeFile(p.cfg.File, next))
	}
	p.tell(refused, err)
	if err != nil {
		return err
	}
	p.latest = next.version
	p.metrics.blocks.Set(float64(len(blocks)))
	p.cfg.Log.Debug().Int("blocks", len(blocks)).Str("version", next.version).Msg("Envoy is told whom to refuse")
	return nil
}

// tell says what is not as it was asked for, when that has changed.
func (p *Publisher) tell(refused []error, failed error) {
	p.metrics.refused.Set(float64(len(refused)))
	var said []string
	if n := len(refused); n > 0 {
		said = append(said, fmt.Sprintf("Envoy is not told to refuse %d of those in quarantine, wonted does it: %v", n, refused[0]))
	}
	if failed != nil {
		said = append(said, "Envoy is not told whom to refuse: "+failed.Error())
	}
	text := strings.Join(said, "; ")
	if text == p.said {
		return
	}
	p.said = text
	if text != "" {
		p.cfg.Log.Warn().Msg(text)
	}
	if p.cfg.Trouble != nil {
		p.cfg.Trouble(text)
	}
}

// rejected is called when an Envoy does not take what it was told.
func (p *Publisher) rejected(why string) {
	p.cfg.Log.Error().Str("why", why).Msg("Envoy does not take the list of whom to refuse, and keeps the one before")
}
