package demo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// How much traffic flows before and after the crash, at least.
const crashRequests = 200

// crash kills wonted with -9 while traffic flows, and lets it flow on.
func (t *telling) crash(ctx context.Context) error {
	s := &scene{Name: "crash", Title: "wonted is killed with -9"}
	t.scene(5, s.Title, "fail: open")
	var (
		all           sync.WaitGroup
		before, after atomic.Int64
		killed        atomic.Bool
		seen          = newCrowd()
	)
	halfway := make(chan struct{})
	var once sync.Once
	fleets := t.fleets()
	share := int64(crashRequests / len(fleets))
	for _, v := range fleets {
		all.Go(func() {
			send, done := t.sending(ctx, t.stage.guarded.URL())
			defer done()
			for sent := int64(0); sent < share && ctx.Err() == nil; {
				dead := killed.Load()
				e := event{time.Now(), v, v.by(v.status(), 1)}
				o := send(e.request)
				seen.add(e, o)
				t.others.add(e, o)
				if dead {
					after.Add(1)
					sent++ // only those after the crash count down
					continue
				}
				if before.Add(1) == crashRequests {
					once.Do(func() { close(halfway) })
				}
			}
		})
	}
	select {
	case <-halfway:
		t.stage.wonted.kill()
	case <-ctx.Done():
	}
	killed.Store(true)
	all.Wait()

	seen.mu.Lock()
	answered, failed := seen.tally.Answered, seen.tally.Requests-seen.tally.Answered
	seen.mu.Unlock()
	t.board.Crash = crashed{Before: int(before.Load()), After: int(after.Load()), Answered: answered, Failed: failed}
	t.saw("traffic before, during and after", t.board.Crash.String(), green)
	s.Observed = t.board.Crash
	s.expect(failed == 0, "no request failed when wonted was killed", "%s: %v", t.board.Crash, seen.harm().Who)
	s.expect(t.board.Crash.After >= crashRequests, "traffic went on without wonted", "%s", t.board.Crash)
	return t.close(ctx, s)
}
