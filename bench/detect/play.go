package detect

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/wonted-project/wonted/scoring"
)

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
