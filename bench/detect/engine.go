package detect

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// planned is one trial to come.
type planned struct {
	at       int64
	scenario int
	run      int
	victim   *Identity
	other    *Identity
}

// engine plays one stream through a scorer of its own.
type engine struct {
	world     *world
	everybody []*Identity
	scenarios []Scenario
	plan      []planned

	store      *profile.Store
	scorer     *scoring.Scorer
	calibrator *calibrator
	baselines  []baseline
	fork       fork
	ex         scoring.Exchange
	fill       filler
	scores     []float32 // of the exchange in hand: wonted's, then the baselines'

	counts  bool   // what is wrongly found is taken from here
	mature  []bool // by number: what the last exchange said
	windows *windows
	tally   tally
	trials  []trial
	longs   map[uint32]*Long // by number of the victim
	skipped []int            // of each scenario: the victim had no history, or did nothing
	emit    *emitter
}

// Run plays a world and what happens in it. When ctx ends it returns what there
// is until then, Partial.
//
// The world is played several times, at the same time: once as it is, from which
// come false alarms and thresholds, once with attacks in it that are undone, and
// lastingWorlds times with some of those that take days. What an attack leaves
// behind is put back, but the routes that it asked for stay known: what benign
// callers are told must not depend on which attacks were tried; nor must what is
// found of one attack depend on which others last, and teach the calibration what
// peers do.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	quiet, attacked := newEngine(cfg, cfg.Days), newEngine(cfg, cfg.Days)
	quiet.counts = true
	defer quiet.store.Close()
	defer attacked.store.Close()
	attacked.schedule(cfg)
	worlds := append([]*engine{quiet, attacked}, newLasting(cfg)...)
	lasting := worlds[2:]
	for _, e := range lasting {
		defer e.store.Close()
	}
	if cfg.Emit != nil {
		attacked.emit = newEmitter(bufio.NewWriterSize(cfg.Emit, 1<<20))
	}
	failed := make([]error, len(worlds))
	var all sync.WaitGroup
	for i, e := range worlds {
		var progress func(float64, string)
		if e == longest(worlds) {
			progress = cfg.Progress
		}
		all.Go(func() {
			if failed[i] = e.stream(ctx, progress); failed[i] != nil {
				stop()
			}
		})
	}
	all.Wait()
	if err := cmp.Or(failed...); err != nil && !errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("bench detect: %w", err)
	}
	for _, e := range lasting {
		attacked.trials = append(attacked.trials, e.trials...)
		for i, n := range e.skipped {
			attacked.skipped[i] += n
		}
	}
	return newReport(cfg, quiet, attacked, ctx.Err() != nil)
}

// longest is the one by which it is told how far a run is.
func longest(worlds []*engine) *engine {
	return slices.MaxFunc(worlds, func(a, b *engine) int { return cmp.Compare(a.world.days, b.world.days) })
}

// newEngine has a world of so many days.
func newEngine(cfg Config, days int) *engine {
	w := newWorld(cfg.Seed, cfg.Identities, days, cfg.training())
	e := &engine{world: w, baselines: baselines(), calibrator: newCalibrator()}
	e.scenarios, _ = Select(cfg.Scenarios)
	for n := range cfg.Identities {
		e.everybody = append(e.everybody, newIdentity(w, uint32(n+1)))
	}
	e.store = profile.New(profile.Config{Memory: 64<<20 + profile.Bytes(cfg.Identities*days)*8<<10})
	e.scorer = scoring.New(scoring.Config{Store: e.store, Routes: route.New(), Calibrator: e.calibrator})
	e.fork = fork{store: e.store, scorer: e.scorer}
	e.scores = make([]float32, 1+len(e.baselines))
	e.mature = make([]bool, cfg.Identities+1)
	e.windows = newWindows(cfg.Identities, len(e.scores), w.evaluates())
	e.skipped = make([]int, len(e.scenarios))
	e.tally = newTally(cfg.Identities)
	return e
}

// schedule says when what is tried on whom. A scenario's moments and victims
// depend on the seed and its name alone, not on which others are run.
func (e *engine) schedule(cfg Config) {
	w := e.world
	for i := range e.scenarios {
		s := &e.scenarios[i]
		if s.Play == nil {
			continue
		}
		rng := rand.New(rand.NewPCG(cfg.Seed, xxh3.HashString(s.Name)))
		for run := range s.runs(cfg.Runs) {
			if p, ok := e.draw(rng, s, w); ok {
				p.scenario, p.run = i, run
				e.plan = append(e.plan, p)
			}
		}
	}
	slices.SortFunc(e.plan, func(a, b planned) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.scenario, b.scenario), cmp.Compare(a.run, b.run))
	})
}

// draw finds a victim that has been there for two days, and a moment at which
// it is likely to be active: who steals by day is harder to see.
func (e *engine) draw(rng *rand.Rand, s *Scenario, w *world) (planned, bool) {
	for range 10_000 {
		id := e.everybody[rng.IntN(len(e.everybody))]
		t := w.evaluates() + rng.Int64N(w.ends()-w.evaluates())
		if s.Suits != nil && !s.Suits(id) || t < id.born+2*day || t > id.gone {
			continue
		}
		if id.rate > 0 && rng.Float64() > id.activity(t) {
			continue
		}
		other := e.everybody[rng.IntN(len(e.everybody))]
		return planned{at: t, victim: id, other: other}, true
	}
	return planned{}, false
}
