package bench

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// load is the clients of one cell for one variant. Their connections are kept
// from round to round.
type load struct {
	clients []loadClient
	expect  expectation
	think   time.Duration   // of a closed loop's clients, on average
	shared  *http.Transport // of HTTP/2
}

type loadClient struct {
	client
	source *source
	q      Request
	chance *rand.Rand // of what it thinks
}

// Protocols of a cell.
const (
	HTTP1 = "http/1.1"
	HTTP2 = "http/2"
)

// thinking seeds what clients think: the same in every run and variant.
const thinking = 0x7468696e6b

// newLoad connects nothing yet. Every variant gets the same requests.
func newLoad(address string, p Point, attack float64, expect expectation) *load {
	l := &load{clients: make([]loadClient, p.Concurrency), expect: expect, think: p.Think}
	if p.Protocol == HTTP2 {
		l.shared = newTransport2()
	}
	for i := range l.clients {
		c := &l.clients[i]
		c.chance = rand.New(rand.NewPCG(thinking, uint64(i)))
		c.source = newSource(Identities{p.Identities, p.Scenario}, attack, uint64(i))
		if l.shared != nil {
			c.client = newHTTP2(address, l.shared)
		} else {
			c.client = newHTTP1(address)
		}
	}
	return l
}

func (l *load) close() {
	for i := range l.clients {
		l.clients[i].close()
	}
}

// run loads for d, in a closed loop, or at a rate (requests/s) that is kept
// whatever the answers take.
func (l *load) run(ctx context.Context, d time.Duration, rate float64) *tally {
	if rate > 0 {
		return l.open(ctx, d, rate)
	}
	return l.closed(ctx, d)
}

// closed has every client send its next request when it has the answer to the
// last and has thought, for a time drawn from an exponential distribution.
// Those under way at the end are waited for.
func (l *load) closed(ctx context.Context, d time.Duration) *tally {
	t := newTally(len(l.clients))
	until := t.start.Add(d)
	var over atomic.Bool
	stop := context.AfterFunc(ctx, func() { over.Store(true) })
	defer stop()
	l.each(func(i int, c *loadClient) {
		for {
			c.source.next(&c.q)
			start := time.Now()
			if start.After(until) || over.Load() {
				return
			}
			a, err := c.do(&c.q)
			t.add(i, &c.q, a, err, time.Since(start), l.expect)
			if err != nil {
				time.Sleep(time.Millisecond) // what refuses at once is not asked a million times
			}
			if l.think > 0 {
				pause(time.Duration(c.chance.ExpFloat64() * float64(l.think)))
			}
		}
	})
	t.end = time.Now()
	return t
}

// open sends request k at start + k/rate, and counts its latency from then:
// an answer that is late makes those behind it late, and that is seen, as those
// who would have asked meanwhile see it. (Sending the next one later instead
// would leave them out: coordinated omission.) Where all clients wait for
// answers, what is due waits for a client, and that counts.
func (l *load) open(ctx context.Context, d time.Duration, rate float64) *tally {
	n := int(d.Seconds() * rate)
	due := make(chan time.Time, n)
	ctx, cancel := context.WithTimeout(ctx, d+patience)
	defer cancel()
	t := newTally(len(l.clients))
	go func() {
		defer close(due)
		interval := float64(time.Second) / rate
		for k := range n {
			at := t.start.Add(time.Duration(float64(k) * interval))
			for wait := time.Until(at); wait > 0 && ctx.Err() == nil; wait = time.Until(at) {
				pause(wait)
			}
			if ctx.Err() != nil {
				return
			}
			due <- at
		}
	}()
	l.each(func(i int, c *loadClient) {
		c.source.next(&c.q)
		for at := range due {
			if ctx.Err() != nil {
				return
			}
			a, err := c.do(&c.q)
			t.add(i, &c.q, a, err, time.Since(at), l.expect)
			c.source.next(&c.q) // made before it is due
		}
	})
	t.end = time.Now()
	return t
}

// each runs all clients and waits for them.
func (l *load) each(work func(i int, c *loadClient)) {
	var all sync.WaitGroup
	for i := range l.clients {
		all.Go(func() { work(i, &l.clients[i]) })
	}
	all.Wait()
}
