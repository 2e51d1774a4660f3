package detect

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// Config says what is run.
type Config struct {
	Seed       uint64
	Identities int
	Days       int
	Lasting    int      // days after training for what takes days; 0: as many as the others have
	Runs       int      // of each scenario
	Scenarios  []string // names; none: all
	Emit       io.Writer
	Progress   func(share float64, what string) // may be nil
}

// Bounds of a Config.
const (
	leastIdentities = 50
	leastDays       = 7
	leastTraining   = 5 // days: a working week
)

// Validate says what is wrong with the configuration.
func (c *Config) Validate() error {
	switch {
	case c.Identities < leastIdentities || c.Identities > 1_000_000:
		return fmt.Errorf("%d identities: %d to 1,000,000 are possible", c.Identities, leastIdentities)
	case c.Days < leastDays || c.Days > 366:
		return fmt.Errorf("%d days: %d to 366 are possible, of which the first %d or more are training", c.Days, leastDays, leastTraining)
	case c.Lasting < 0 || c.Lasting > 366:
		return fmt.Errorf("%d days for attacks that take days: 1 to 366 are possible, or 0 for as many as there are after training", c.Lasting)
	case c.Runs < 10 || c.Runs > 100_000:
		return fmt.Errorf("%d runs: 10 to 100,000 of each scenario are possible", c.Runs)
	}
	_, err := Select(c.Scenarios)
	return err
}

// training is how many days pass before the evaluation.
func (c *Config) training() int { return max(leastTraining, c.Days/2) }

// lasting is how many days what takes days has.
func (c *Config) lasting() int { return cmp.Or(c.Lasting, c.Days-c.training()) }

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
		progress := cfg.Progress
		if i > 0 {
			progress = nil
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

// stream plays everything in the order of time. Where ctx ends it, what was
// played until then counts.
func (e *engine) stream(ctx context.Context, progress func(float64, string)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	out, free := make(chan *batchOf, 8), make(chan *batchOf, 16)
	go generate(ctx, e.world, e.everybody, e.plan, out, free)
	var err error
	for b := range out {
		if err = e.playBatch(b); err != nil || ctx.Err() != nil {
			break
		}
		if progress != nil {
			last := b.calls[len(b.calls)-1].At
			progress(float64(last-e.world.begins())/float64(e.world.ends()-e.world.begins()), at(last).Format("Mon 2 Jan 15:04"))
		}
		select {
		case free <- b:
		default:
		}
	}
	stop()
	for range out { // the generator ends before what it works on is read
	}
	e.windows.end()
	e.gatherLongs()
	if e.emit != nil {
		err = cmp.Or(err, e.emit.close())
	}
	if st := e.store.Stats(); st.Stowed+st.EvictedProbation+st.EvictedProtected > 0 {
		err = cmp.Or(err, fmt.Errorf("%d records did not fit into memory; fewer identities or days would", st.Stowed+st.EvictedProbation+st.EvictedProtected))
	}
	return err
}

// playBatch plays a piece of the stream, with the trials in it.
func (e *engine) playBatch(b *batchOf) error {
	next := 0
	for i := range b.calls {
		for ; next < len(b.forks) && b.forks[next].before == i; next++ {
			e.try(&b.forks[next])
		}
		if err := e.benign(&b.calls[i], b.who[i].Number); err != nil {
			return err
		}
	}
	return nil
}

// benign plays one call of the population.
func (e *engine) benign(c *Call, who uint32) error {
	if l := e.longs[who]; l != nil {
		e.long(l, c)
		return nil
	}
	if e.counts && c.At >= e.world.evaluates() && e.tally.evaluated == 0 {
		e.calibrator.before = e.calibrator.Stats()
	}
	e.play(c, false)
	as := &e.ex.Assessment
	if c.Caller != 0 {
		e.mature[who] = as.Mature
	}
	if e.counts {
		e.windows.add(who, c.From, as.Peers.Cohort, e.mature[who], c.At, e.scores)
		e.tally.add(e.world, c, who, e.mature[who], as)
	}
	if e.emit != nil {
		return e.emit.benign(c)
	}
	return nil
}

// play takes a call from request to end through the scorer and all baselines,
// as traffic in shadow mode goes, and leaves the scores in e.scores. early: the
// request alone was anomalous.
func (e *engine) play(c *Call, forked bool) (early bool) {
	ex := &e.ex
	e.fill.fill(ex, c)
	if forked {
		e.fork.before(ex)
	}
	e.scorer.Begin(ex)
	e.scorer.Attempt(ex)
	if forked {
		e.fork.begun(ex)
	}
	early = ex.Assessment.Anomalous
	c.answer(ex)
	end := ex.Time.Add(time.Duration(c.Took) * time.Millisecond)
	e.scorer.Answer(ex, end)
	e.scorer.Complete(ex, scoring.Answered, end)
	e.scores[0] = float32(ex.Assessment.Score)
	for i, b := range e.baselines {
		e.scores[1+i] = b.see(c)
	}
	return early
}

// try plays a planned trial in a fork.
func (e *engine) try(m *moment) {
	p := &e.plan[m.plan]
	if !e.mature[m.victim.Number] {
		e.skipped[p.scenario]++
		return
	}
	s := &e.scenarios[p.scenario]
	e.trials = append(e.trials, trial{scenario: p.scenario, victim: m.victim.Number, class: m.victim.Class, steps: make([][]step, len(e.scores))})
	t := &e.trials[len(e.trials)-1]
	rng := rand.New(rand.NewPCG(e.world.seed^xxh3.HashString(s.Name), uint64(p.run)))
	m.victim.rng, m.others.rng = rng, rng
	if m.victim.sitting.address == 0 {
		m.victim.sit(p.at)
	}
	a := &Attack{Victim: m.victim, Other: m.others, Rand: rng, Now: p.at, engine: e, trial: t, begin: p.at}
	if e.emit != nil {
		a.record = e.emit.attack(s.Name)
	}
	e.calibrator.frozen = true
	e.fork.begin()
	for _, b := range e.baselines {
		b.fork()
	}
	s.Play(a)
	if a.most != nil {
		a.closeWindow()
	}
	for _, b := range e.baselines {
		b.back()
	}
	e.calibrator.frozen = false
	e.fork.back()
}

var errNothing = errors.New("bench detect: nothing was measured")
