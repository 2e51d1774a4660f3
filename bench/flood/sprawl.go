package main

import (
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
	"github.com/wonted-project/wonted/scoring/window"
)

// sorts are what one caller can bring without end. Each is a caller of its own.
var sorts = []struct {
	name   string
	change func(c *client, q *request, n uint64)
}{
	{"routes", func(c *client, q *request, n uint64) { q.path = c.word(n) }},
	{"objects", func(c *client, q *request, n uint64) { q.path = c.serial("/v1/orders/", n, 10) }},
	{"devices", func(c *client, q *request, n uint64) { q.agent = c.serial("client/", n*0x9E3779B97F4A7C15, 36) }},
	{"networks", func(c *client, q *request, n uint64) { q.from = netip.AddrPortFrom(c.randomAddress().Addr(), 4000) }},
	{"sessions", func(c *client, q *request, n uint64) { q.session = c.serial("session=", n*0x9E3779B97F4A7C15, 36) }},
	{"all at once", func(c *client, q *request, n uint64) {
		q.path, q.from = c.randomPath(), c.randomAddress()
		q.agent, q.session = c.serial("client/", n*0x9E3779B97F4A7C15, 36), c.serial("session=", n*0x9E3779B97F4A7C15, 36)
	}},
}

// word is a path of letters alone, a route of its own.
func (c *client) word(n uint64) []byte {
	return c.write(func(b []byte) []byte {
		for b = append(b, "/v1/"...); n > 0; n /= 20 {
			b = append(b, "bcdfghjklmnpqrstvwxz"[n%20])
			b = append(b, 'a')
		}
		return b
	})
}

// sprawl lets single callers bring millions of routes, objects, devices,
// networks and sessions, over some days, all answered well. The caller's record
// must stay sane and count right, and the store within its bounds.
func sprawl(r *report, s settings) error {
	r.head("sprawl: one caller, %d distinct values of each sort, profile.memory %v", s.sprawl, s.modest)
	var clients [workers]*client
	for w := range clients {
		clients[w] = newClient(uint64(w) + 100)
	}
	base, err := rehearse(clients, s.others/100)
	if err != nil {
		return err
	}
	p, err := newProcessor(s.modest)
	if err != nil {
		return err
	}
	defer p.store.Close()

	var most peak
	for _, sort := range sorts {
		var odd atomic.Int64
		together(func(w int) { odd.Add(p.bring(clients[w], sort.name, s.sprawl, w, sort.change)) })
		r.must(odd.Load() == 0, "%-12s %d scores out of 0 to 12", sort.name, odd.Load())
		rec := p.caller(sort.name)
		r.must(int(rec.Requests) == s.sprawl && int(rec.Accepted) == s.sprawl && rec.InFlight == 0,
			"%-12s %d requests and %d accepted of %d, %d in flight", sort.name, rec.Requests, rec.Accepted, s.sprawl, rec.InFlight)
		h := rec.Habits()
		r.must(sane(rec) && bounded(h),
			"%-12s record sane: %d devices weigh %.1f (new %.1f of %.1f), %d networks %.1f (new %.1f of %.1f)", sort.name,
			taken(h.Devices[:]), window.Slots(h.Devices[:]).Total(), h.DeviceNovelty.New, h.DeviceNovelty.N,
			taken(h.Networks[:]), window.Slots(h.Networks[:]).Total(), h.NetworkNovelty.New, h.NetworkNovelty.N)
		if err := most.look(); err != nil {
			return err
		}
	}
	st := p.store.Stats()
	r.must(p.routes.Len() <= route.MaxRoutes, "%d routes in the table, at most %d", p.routes.Len(), route.MaxRoutes)
	r.must(st.Bytes <= s.modest && st.Total <= st.CapacityRecords, "%d profiles in the slab and %d below take %.1f MiB; evicted %d on probation, %d established",
		st.Total, st.Below, float64(st.Bytes)/mib, st.EvictedProbation, st.EvictedProtected)
	bad := insane(p.store)
	r.must(bad == 0, "%d profiles hold an impossible number", bad)
	limit := float64(s.modest) * 1.05
	r.machine(float64(most.most-base) <= limit, "resident %.1f MiB over a base of %.1f MiB, at most %.1f MiB",
		float64(most.most-base)/mib, float64(base)/mib, limit/mib)
	return nil
}

// bring sends one worker's part of n requests that differ in one sort, 50 ms
// apart, and counts the scores that are none.
func (p *processor) bring(c *client, name string, n, w int, change func(*client, *request, uint64)) (odd int64) {
	for i := w; i < n; i += workers {
		c.text = c.text[:0]
		q := request{
			method: []byte("GET"), path: []byte("/v1/orders/17"), key: []byte(name), session: []byte("session=" + name),
			agent: []byte(agents[0]), from: netip.MustParseAddrPort("10.0.0.1:4000"),
		}
		change(c, &q, uint64(i)+1)
		c.begin(epoch.Add(time.Duration(i)*50*time.Millisecond), &q)
		p.exchange(c, 200, int64(1000+c.rng.IntN(1000)))
		if score := c.Exchange.Assessment.Score; !(score >= 0 && score <= 12) || math.IsNaN(c.Exchange.Assessment.Threshold) {
			odd++
		}
	}
	return odd
}

// caller is a copy of the caller's record.
func (p *processor) caller(name string) *profile.Record {
	rec, pin, ok := p.store.Find(p.who.Key(profile.KindCaller, []byte(name)))
	if !ok {
		return new(profile.Record)
	}
	defer pin.Release()
	kept := *rec
	return &kept
}

// bounded says that nothing weighs more than decay lets it: at most a visit a
// request, of which half are forgotten in 150.
func bounded(h *profile.Habits) bool {
	const most = 150/math.Ln2 + 10
	return window.Slots(h.Devices[:]).Total() <= most && window.Slots(h.Networks[:]).Total() <= most &&
		h.DeviceNovelty.N <= most && h.NetworkNovelty.N <= most &&
		h.DeviceNovelty.New <= h.DeviceNovelty.N && h.NetworkNovelty.New <= h.NetworkNovelty.N
}

func taken(slots []window.Slot) (n int) {
	for _, s := range slots {
		if s.Weight > 0 {
			n++
		}
	}
	return n
}
