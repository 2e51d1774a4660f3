package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// entry is a contender in a cell.
type entry struct {
	*contender
	load      *load
	rounds    []Round
	different map[string]int // answers that are not the API's, all rounds
	unscored  int            // rounds whose requests wonted has not all judged
	undecided float64        // exchanges on which wonted's policy had no say
	unguarded float64        // exchanges that wonted was not asked about in time
}

// cell measures a point in rounds. Every round visits every contender, in
// turns: what else the machine does hits all of them, and nobody always comes
// after the same one.
func (r *run) cell(ctx context.Context, p *Point, cell *Cell, all []*contender) error {
	var entries []*entry
	for _, c := range all {
		e := &entry{contender: c, different: map[string]int{},
			load: newLoad(c.address, *p, r.plan.Attack, c.expect())}
		defer e.load.close()
		entries = append(entries, e)
	}
	defer func() {
		for _, e := range entries {
			if len(e.rounds) > 0 {
				cell.Results = append(cell.Results, Result{e.Name, e.rounds})
				r.judge(cell.Name, e)
			}
		}
	}()
	turn := slices.Clone(entries)
	for n := range p.Rounds {
		for _, e := range turn {
			r.say.visit(fmt.Sprintf("%s: round %d of %d: %s", p.Name, n+1, p.Rounds, e.Name))
			round, err := e.visit(ctx, r.plan, p)
			if ctx.Err() != nil {
				return nil
			}
			if gone := e.gone(); gone != nil {
				return gone
			}
			if err != nil {
				return fmt.Errorf("%s, %s: %w", p.Name, e.Name, err)
			}
			e.rounds = append(e.rounds, round)
		}
		slices.Reverse(turn)
	}
	return nil
}

// visit loads a contender for one round, after a warm-up that does not count.
func (e *entry) visit(ctx context.Context, plan *Plan, p *Point) (Round, error) {
	if plan.WarmUp > 0 {
		warm := e.load.run(ctx, plan.WarmUp, p.Rate).sum()
		e.sent += warm.sent()
	}
	before, err := e.look(ctx)
	if err != nil {
		return Round{}, err
	}
	t := e.load.run(ctx, plan.Duration, p.Rate)
	used, err := e.used()
	if err != nil {
		return Round{}, err
	}
	sum := t.sum()
	e.sent += sum.sent()
	addAll(e.different, sum.different)
	round := sum.round(t.end.Sub(t.start).Seconds())
	round.EnvoyCPU, round.ProcessorCPU = (used.envoy - before.envoy).Seconds(), (used.processor - before.processor).Seconds()
	round.Resident = used.resident
	after, err := e.ask(ctx)
	if err != nil || len(e.wonted) == 0 {
		return round, err
	}
	round.Scored = int64(after.judged - before.judged)
	round.AllocObjects, round.AllocBytes = after.objects-before.objects, after.bytes-before.bytes
	round.GCSeconds, round.Profiles = after.gc-before.gc, int64(after.profiles)
	e.undecided += after.undecided - before.undecided
	e.unguarded += after.unguarded - before.unguarded
	if round.Scored != int64(sum.sent()) {
		e.unscored++
	}
	return round, nil
}

// judge says why what an entry has measured does not count.
func (r *run) judge(cell string, e *entry) {
	requests, errors := 0, map[string]int{}
	var scored int64
	for _, round := range e.rounds {
		requests += round.Requests
		scored += round.Scored
		addAll(errors, round.Errors)
	}
	if len(errors) > 0 {
		r.fail("%s: %s: requests without an answer, beside %d answered: %s", cell, e.Name, requests, kinds(errors))
	}
	if requests == 0 {
		r.fail("%s: %s has answered nothing", cell, e.Name)
	}
	if len(e.different) > 0 {
		r.fail("%s: %s has changed answers that it should not, of %d: %s", cell, e.Name, requests, kinds(e.different))
	}
	if e.unscored > 0 {
		r.fail("%s: %s has judged %d exchanges of %d requests", cell, e.Name, scored, requests)
	}
	if e.undecided > 0 {
		r.fail("%s: %s had no decision of its policy in time for %.0f of %d requests", cell, e.Name, e.undecided, requests)
	}
	if e.unguarded > 0 {
		r.fail("%s: %s says that %.0f of %d requests passed unprotected", cell, e.Name, e.unguarded, requests)
	}
}

// kinds are what went wrong with their numbers, in a fixed order.
func kinds(of map[string]int) string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		all = append(all, fmt.Sprintf("%s (%d)", kind, of[kind]))
	}
	return strings.Join(all, ", ")
}

// state is what a contender has used, and found, since it was started.
type state struct {
	envoy, processor time.Duration // of CPU; processor: of all of them
	resident         int64         // of the processors
	asked
}

// asked is what wonted says of itself, and several of them together.
type asked struct {
	judged, undecided, unguarded float64
	objects, bytes, gc, profiles float64 // gc in seconds of CPU
}

// look takes everything, the processor time last: asking costs some.
func (c *contender) look(ctx context.Context) (state, error) {
	a, err := c.ask(ctx)
	if err != nil {
		return state{}, err
	}
	s, err := c.used()
	s.asked = a
	return s, err
}

func (c *contender) used() (s state, err error) {
	if c.envoy != nil {
		if s.envoy, err = CPU(c.envoy.PID()); err != nil {
			return s, err
		}
	}
	for _, p := range c.processors {
		cpu, err := CPU(p.pid())
		if err != nil {
			return s, err
		}
		resident, err := Resident(p.pid())
		if err != nil {
			return s, err
		}
		s.processor, s.resident = s.processor+cpu, s.resident+resident
	}
	return s, nil
}

// ask waits until wonted has judged what was sent, and asks what that took.
func (c *contender) ask(ctx context.Context) (a asked, err error) {
	if len(c.wonted) == 0 {
		return a, nil
	}
	m, err := c.wonted.settle(ctx, float64(c.sent))
	if err != nil {
		return a, err
	}
	a.judged, _ = m.sum(judged)
	a.objects, _ = m.sum("go_memstats_mallocs_total")
	a.bytes, _ = m.sum("go_memstats_alloc_bytes_total")
	a.undecided, _ = m.sum("wonted_policy_failures_total")
	a.unguarded, _ = m.sum("wonted_unprotected_exchanges_total")
	a.profiles, _ = m.sum("wonted_profiles")
	a.gc, _ = m.sum("go_cpu_classes_gc_total_cpu_seconds_total")
	return a, nil
}
