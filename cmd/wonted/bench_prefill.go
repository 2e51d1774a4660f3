package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/wonted-project/wonted/bench"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// What wonted has seen before a load: its callers at this time of day, each
// with its share of the requests, on as many days as make a profile mature.
// Those who come rarely come with all their requests of a day at once.
const (
	prefillDays    = 5
	prefillSeconds = 60
	prefillRate    = 3000 // requests/s of all callers together
	prefillLeast   = 10   // requests of a caller a day: with those of five days it is known well
)

// prefill implements bench.Plan.Prefill: the past is played through the scorer
// as exchanges, in event time, and saved.
func prefill(ctx context.Context, dir, keyFile string, load bench.Identities) error {
	key := identity.NewSecret()
	if err := os.WriteFile(keyFile, key[:], 0o600); err != nil {
		return err
	}
	who, err := identity.New(identity.Default(), key, 1)
	if err != nil {
		return err
	}
	config := profile.Config{Memory: profile.Bytes(bench.ProfileMemory(load))}
	store := profile.New(config)
	defer store.Close()
	routes := route.New()
	scorer := scoring.New(scoring.Config{Store: store, Routes: routes})
	past := &past{load: load, who: who, scorer: scorer, daily: daily(load)}
	now := time.Now()
	for day := prefillDays; day > 0; day-- {
		if err := past.play(ctx, now.AddDate(0, 0, -day)); err != nil {
			return err
		}
	}
	if evicted := store.Stats().EvictedProtected; evicted > 0 {
		return fmt.Errorf("%v holds too few profiles: %d were lost", config.Memory, evicted)
	}
	return store.Save(dir, profile.Meta{KeyID: key.ID(), Now: now})
}

// daily is how many requests each caller makes a day.
func daily(load bench.Identities) []int {
	all := make([]int, load.Count+bench.Victims)
	for i, share := range bench.Weights(load.Count) {
		all[i] = int(share * prefillRate * prefillSeconds)
	}
	for i := range all {
		all[i] = max(all[i], prefillLeast)
	}
	return all
}

// past is the history under way.
type past struct {
	load   bench.Identities
	who    *identity.Resolver
	scorer *scoring.Scorer
	daily  []int
}

// play plays one day, in as many threads as there are cores.
func (p *past) play(ctx context.Context, start time.Time) error {
	workers := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			v := newVisit(uint64(start.Unix()) + uint64(w))
			for second := range prefillSeconds {
				if ctx.Err() != nil {
					return
				}
				at := start.Add(time.Duration(second) * time.Second)
				for i := w; i < len(p.daily); i += workers {
					n := p.daily[i]
					if n <= prefillLeast {
						if i/workers%prefillSeconds != second {
							continue
						}
					} else {
						n = n*(second+1)/prefillSeconds - n*second/prefillSeconds
					}
					for range n {
						v.request.Ordinary(p.load, i, v.chance)
						p.exchange(v, at)
					}
				}
			}
		})
	}
	all.Wait()
	return ctx.Err()
}

// visit is the room of one exchange after the other.
type visit struct {
	exchange scoring.Exchange
	request  bench.Request
	chance   *rand.Rand
	source   []byte
}

func newVisit(seed uint64) *visit { return &visit{chance: rand.New(rand.NewPCG(seed, 0))} }

// exchange takes the visit's request from its headers to its end, as Envoy
// would show it.
func (p *past) exchange(v *visit, at time.Time) {
	ex, q := &v.exchange, &v.request
	ex.Reset()
	ex.Time = at
	ex.Method, ex.Path, ex.Host = []byte("GET"), q.Path, []byte(bench.Host)
	ex.Scheme, ex.Protocol = []byte("http"), []byte("HTTP/1.1")
	ex.RequestBytes, ex.ResponseBytes, ex.Records = 0, -1, -1
	for _, h := range q.Headers {
		if string(h.Name) == "x-forwarded-for" {
			v.source = append(append(v.source[:0], h.Value...), ":0"...)
		}
		ex.Headers = append(ex.Headers, scoring.Header{Name: h.Name, Value: h.Value})
	}
	ex.Source = v.source
	p.who.Resolve(ex)
	p.scorer.Begin(ex)
	ex.Status, ex.ResponseBytes, ex.Records = q.Status, q.Bytes, q.Records
	p.scorer.Answer(ex, at)
	p.scorer.Complete(ex, scoring.Answered, at)
}
