package bench

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// burst is something that wonted does beside traffic, now and then.
type burst struct {
	name  string
	every time.Duration
	do    func(ctx context.Context, w *wonted, n int) error // n counts up
}

var bursts = []burst{
	{"policy reload", 500 * time.Millisecond, func(_ context.Context, w *wonted, n int) error {
		return w.writePolicy(fmt.Sprintf("%s\n# change %d\n", w.rego, n))
	}},
	{"SIGHUP", 500 * time.Millisecond, func(_ context.Context, w *wonted, _ int) error {
		return w.cmd.Process.Signal(syscall.SIGHUP)
	}},
	{"metrics scrape", time.Second, func(ctx context.Context, w *wonted, _ int) error {
		_, err := w.metrics(ctx)
		return err
	}},
}

// burstVariant is whom bursts are measured on: what a user gets who chooses
// nothing.
const burstVariant = "wonted-adaptive"

// burstRate leaves the machine room: what a burst adds shall be seen as
// itself, not as the queue of a machine that is full anyhow.
const burstRate = 1000

// saveEvery is short enough that a round sees a snapshot.
const saveEvery = 2 * time.Second

// bursts measures the p99 of a wonted with as many profiles as point i has,
// with and without each burst, round by round in turns. Snapshots come by
// themselves: they are measured on a second wonted that saves, against the
// first, which does not.
func (r *run) bursts(ctx context.Context, i int) error {
	p := r.plan.Points[i]
	p.Rate, p.Concurrency, p.Protocol = burstRate, 256, HTTP1
	p.Variants, p.Name = []string{burstVariant}, "bursts"
	if err := r.know(ctx, p); err != nil {
		return err
	}
	calm, err := r.start(ctx, burstVariant)
	if err != nil {
		return err
	}
	defer calm.stop()
	r.introduce([]*contender{calm})
	r.saving = saveEvery
	saving, err := r.start(ctx, burstVariant)
	r.saving = 0
	if err != nil {
		return err
	}
	defer saving.stop()

	enter := func(c *contender) *entry {
		return &entry{contender: c, different: map[string]int{}, load: newLoad(c.address, p, r.plan.Attack, c.expect())}
	}
	quiet, busy := enter(calm), enter(saving)
	defer quiet.load.close()
	defer busy.load.close()
	measure := func(e *entry, what string) (float64, error) {
		r.say.step(what)
		round, err := e.visit(ctx, r.plan, &p)
		e.rounds = append(e.rounds, round)
		return round.P99, err
	}
	pair := func(name string, with func() (float64, error)) error {
		b := Burst{Name: name}
		for n := range p.Rounds {
			without, err := measure(quiet, fmt.Sprintf("bursts: round %d of %d without %s", n+1, p.Rounds, name))
			if err != nil || ctx.Err() != nil {
				return err
			}
			p99, err := with()
			if err != nil || ctx.Err() != nil {
				return err
			}
			b.Without, b.With = append(b.Without, without), append(b.With, p99)
		}
		r.report.Bursts = append(r.report.Bursts, b)
		return nil
	}
	for _, b := range bursts {
		err := pair(b.name, func() (float64, error) {
			stop := b.start(ctx, calm.wonted[0])
			p99, err := measure(quiet, "bursts: a round with "+b.name)
			if failed := stop(); err == nil {
				err = failed
			}
			return p99, err
		})
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
	err = pair(fmt.Sprintf("snapshot of %d callers", p.Identities), func() (float64, error) {
		return measure(busy, "bursts: a round with snapshots")
	})
	if err != nil || ctx.Err() != nil {
		return err
	}
	r.judge("bursts", quiet)
	r.judge("bursts", busy)
	return nil
}

// start does b again and again until the function that it returns is called,
// which says what went wrong.
func (b *burst) start(ctx context.Context, w *wonted) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var once error
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(b.every)
		defer tick.Stop()
		for n := 0; ; n++ {
			if err := b.do(ctx, w, n); err != nil && ctx.Err() == nil {
				once = fmt.Errorf("%s: %w", b.name, err)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() error {
		cancel()
		done.Wait()
		return once
	}
}
