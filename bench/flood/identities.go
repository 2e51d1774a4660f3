package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// epoch is when floods begin. Their time is synthetic: only latency and the
// deadline of streams are measured with a clock.
var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	workers = 2 // as many as the smallest machine has cores
	visits  = 12

	// Established callers come ten at once and then pause, so that the core on
	// which they are timed is idle most of the time: whatever else the machine
	// does finds room there, in quiet as in the flood. All that an exchange waits
	// for while the flood keeps the other core busy (locks, the collector, memory)
	// is counted, and nothing is taken out.
	atOnce = 10
	pause  = time.Millisecond

	calm = 40 // in quiet one of them is timed for every so many strangers of the flood
)

// identities lets strangers of one request each flood a store that knows
// established callers. One stranger is four to six new entities: key, session,
// address, network, user agent. Every other established caller stays silent
// all the while: being remembered must not take coming back.
func identities(r *report, s settings) error {
	r.head("identities: %d of one request each, against %d established callers, profile.memory %v", s.others, s.callers, s.memory)
	quiet, flooded := &latencies{}, &latencies{}
	var clients [workers]*client
	for w := range clients {
		clients[w] = newClient(uint64(w))
	}
	base, err := rehearse(clients, s.others/100)
	if err != nil {
		return err
	}
	p, err := newProcessor(s.memory)
	if err != nil {
		return err
	}
	defer p.store.Close()

	// The established have come one after the other, in the days before.
	together(func(w int) {
		for i := w; i < s.callers; i += workers {
			came := epoch.Add(-time.Duration(s.callers-i) * 5 * time.Second)
			for v := range visits {
				clients[w].known(i, came.Add(time.Duration(v)*time.Second/4))
				p.exchange(clients[w], 200, 1900)
			}
		}
	})
	before := p.survivors(s.callers)
	r.must(before.callers == s.callers, "%d of %d callers are established before the flood", before.callers, s.callers)

	const rounds = 100
	var most peak
	start := time.Now()
	for round := range rounds {
		now := epoch.Add(time.Duration(round) * 10 * time.Second)
		n := s.others / rounds
		p.come(clients[0], s.callers, now, quiet, func(i int) bool { return i < n/calm })
		var over atomic.Bool
		together(func(w int) {
			now := now.Add(5 * time.Second)
			if w == 0 {
				p.come(clients[w], s.callers, now, flooded, func(int) bool { return !over.Load() })
				return
			}
			p.pour(clients[w], n, now)
			over.Store(true)
		})
		if err := most.look(); err != nil {
			return err
		}
	}
	took := time.Since(start)

	after := p.survivors(s.callers)
	share := func(a, b int) float64 { return 100 * float64(a) / float64(max(b, 1)) }
	keptOf := func(what string, a, b int) {
		r.must(1000*a >= 999*b, "%-18s %d of %d kept: %.3f %%, at least 99.9 %%", what, a, b, share(a, b))
	}
	keptOf("callers", after.callers, before.callers)
	keptOf("of them, silent", after.silent, before.silent)
	keptOf("their sessions", after.sessions, before.sessions)
	keptOf("their addresses", after.addresses, before.addresses)

	st := p.store.Stats()
	r.must(st.Bytes <= s.memory && st.CapacityBytes <= s.memory, "the store takes %.1f MiB of %v: %d profiles in the slab and %d below (%d went down, %d came back)",
		float64(st.Bytes)/mib, s.memory, st.Total, st.Below, st.Stowed, st.Promoted)
	r.say("evicted %d on probation, %d established: the store's own count of retention is %.3f %%", st.EvictedProbation, st.EvictedProtected, 100*st.Retention())
	limit := float64(s.memory) * 1.05
	r.machine(float64(most.most-base) <= limit, "resident %.1f MiB at most: %.1f MiB over a base of %.1f MiB (the program at work, without the store), at most %.1f MiB",
		float64(most.most)/mib, float64(most.most-base)/mib, float64(base)/mib, limit/mib)
	ratio := float64(flooded.quantile(0.99)) / float64(max(quiet.quantile(0.99), 1))
	r.machine(ratio <= 2, "p99 of established callers %.2f times that of quiet, at most 2: %v quiet, %v in the flood (p50 %v and %v)",
		ratio, quiet.quantile(0.99), flooded.quantile(0.99), quiet.quantile(0.5), flooded.quantile(0.5))
	bad := insane(p.store)
	r.must(bad == 0, "%d profiles hold an impossible number", bad)
	r.say("%v in all; %d exchanges timed in quiet and %d in the flood", took.Round(time.Second), quiet.n(), flooded.n())
	return nil
}

// rehearse does a little of it with the smallest store, and says what is
// resident when that is gone: program, buffers, and what the collector lets lie.
func rehearse(clients [workers]*client, strangers int) (base int64, err error) {
	p, err := newProcessor(profile.MinMemory)
	if err != nil {
		return 0, err
	}
	together(func(w int) { p.pour(clients[w], strangers, epoch) })
	p.store.Close()
	return resident()
}

// together runs all workers and waits.
func together(work func(w int)) {
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() { work(w) })
	}
	group.Wait()
}

// come is established callers that are not silent, timed, one after the other.
func (p *processor) come(c *client, callers int, now time.Time, l *latencies, more func(i int) bool) {
	for i := 0; more(i); i++ {
		if i%atOnce == 0 {
			time.Sleep(pause)
		}
		c.known(c.rng.IntN((callers+1)/2)*2, now.Add(min(time.Duration(i)*100*time.Microsecond, 4*time.Second)))
		start := time.Now()
		p.exchange(c, 200, 1900)
		l.add(time.Since(start))
	}
}

// pour is n strangers within four seconds.
func (p *processor) pour(c *client, n int, now time.Time) {
	for i := range n {
		c.stranger(now.Add(time.Duration(i) * 4 * time.Second / time.Duration(n)))
		p.exchange(c, []int{200, 401, 404}[i%3], int64(c.rng.IntN(4000)))
	}
}

// survivors are the established whose profiles still hold their history.
type survivors struct{ callers, silent, sessions, addresses int }

func (p *processor) survivors(callers int) (s survivors) {
	c := newClient(0)
	for i := range callers {
		c.known(i, epoch)
		ex := &c.Exchange
		p.who.Resolve(ex)
		has := func(kind profile.Kind) int {
			rec, pin, ok := p.store.Find(ex.Entities[kind].Key)
			defer pin.Release()
			if !ok || rec.Accepted < visits || rec.Created >= uint32(epoch.Unix()) {
				return 0
			}
			return 1
		}
		caller := has(profile.KindCaller)
		s.callers += caller
		s.silent += caller * (i % 2)
		s.sessions += has(profile.KindSession)
		s.addresses += has(profile.KindAddress)
	}
	return s
}
