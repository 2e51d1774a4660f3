package quarantine

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Options is what a Table is made of besides the operator's Config.
type Options struct {
	Config     Config
	Mode       policy.Mode
	Trusting   bool // proxies in front of Envoy say where a request comes from: see written
	Log        zerolog.Logger
	Registerer prometheus.Registerer // nil: metrics are kept but not published
	// Key names an entity by a value, as identity.Resolver.Key does: it is needed
	// for addresses and networks.
	Key func(kind profile.Kind, value []byte) profile.Key
	// Trouble is told what an operator should know, and "" when it is over.
	Trouble func(text string)
}

// Table keeps the blocks. It is safe for concurrent use.
type Table struct {
	config   Config
	never    *never
	trusting bool
	key      func(profile.Kind, []byte) profile.Key
	log      zerolog.Logger
	limit    *rate.Limiter // of log lines: an attack must not fill the disk
	trouble  func(string)
	metrics  *metrics
	standing *Standing

	live  atomic.Int64 // records that have not ended
	index atomic.Pointer[index]
	wide  atomic.Pointer[wide] // nil: there are none

	mu      sync.Mutex // held by who changes anything
	mode    policy.Mode
	soonest time.Time // no block that holds ends before
	stale   bool      // one of a place has ended, and nobody was told
	journal *journal  // nil: memory only
	watch   []func()
}

// wide are the blocks of networks that no exchange has as an entity: 203.0.0.0/16.
type wide struct {
	lengths []int // of prefixes, in use
	of      map[netip.Prefix]*record
}

// New makes an empty Table in memory. It panics where the Config is not valid.
func New(o Options) *Table {
	n, err := newNever(o.Config)
	if err != nil {
		panic("quarantine.New: " + err.Error())
	}
	t := &Table{
		config: o.Config, never: n, trusting: o.Trusting, key: o.Key, mode: o.Mode,
		log: o.Log, limit: rate.NewLimiter(10, 50), trouble: o.Trouble, standing: newStanding(),
	}
	if t.trouble == nil {
		t.trouble = func(string) {}
	}
	t.index.Store(newIndex(64))
	t.metrics = newMetrics(o.Registerer, t)
	return t
}

// kinds are looked up for an exchange.
var kinds = [...]profile.Kind{
	profile.KindCaller, profile.KindCredential, profile.KindSession,
	profile.KindAddress, profile.KindNetwork, profile.KindDevice,
}

// Find implements policy.Quarantines.
func (t *Table) Find(into []*policy.Block, ex *scoring.Exchange, now time.Time) []*policy.Block {
	if t.live.Load() == 0 {
		return into
	}
	n := len(into)
	index := t.index.Load()
	for _, k := range kinds {
		if id := &ex.Entities[k]; id.Kind != profile.KindNone {
			if r := index.find(id.Key); r.holds(now) {
				into = append(into, &r.Block)
			}
		}
	}
	if w := t.wide.Load(); w != nil && ex.Address.IsValid() {
		a := ex.Address.Unmap().WithZone("")
		for _, bits := range w.lengths {
			if p, err := a.Prefix(bits); err == nil {
				if r := w.of[p]; r.holds(now) {
					into = append(into, &r.Block)
				}
			}
		}
	}
	if len(into) > n && t.never.exchange(ex) != "" {
		return into[:n]
	}
	return into
}

func (r *record) holds(now time.Time) bool { return r != nil && !r.ended && now.Before(r.Until) }

// List is every block that holds at now, the latest first.
func (t *Table) List(now time.Time) []*policy.Block {
	all := []*policy.Block{}
	t.index.Load().each(func(r *record) bool {
		if r.holds(now) {
			all = append(all, &r.Block)
		}
		return true
	})
	slices.SortFunc(all, func(a, b *policy.Block) int {
		if c := b.Since.Compare(a.Since); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

// Edge is the addresses and networks that may be refused before wonted is asked,
// sorted: nothing in shadow mode, and nobody among whom there may be one who is
// never blocked for more than the address.
func (t *Table) Edge() []netip.Prefix {
	t.mu.Lock()
	shadow := t.mode == policy.Shadow
	t.mu.Unlock()
	var all []netip.Prefix
	t.index.Load().each(func(r *record) bool {
		if !shadow && !r.ended && !r.Shadow && r.Prefix.IsValid() && !t.never.depends(r.Prefix) {
			all = append(all, r.Prefix)
		}
		return true
	})
	slices.SortFunc(all, netip.Prefix.Compare)
	return all
}

// Watch has f called after every change of what Edge answers, by whoever made it
// and without any lock. f must not block.
func (t *Table) Watch(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watch = append(t.watch, f)
}

// SetMode changes whether blocks are carried out.
func (t *Table) SetMode(m policy.Mode) {
	t.mu.Lock()
	t.mode = m
	t.mu.Unlock()
	t.changed()
}

// changed tells who watches. The caller holds no lock.
func (t *Table) changed() {
	t.mu.Lock()
	all := t.watch
	t.mu.Unlock()
	for _, f := range all {
		f()
	}
}
