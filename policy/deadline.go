package policy

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultDeadline bounds one decision. It is half of Envoy's default
// message_timeout (200 ms), so that our fail mode answers, with a reason, and
// not Envoy's; a decision takes microseconds, so only a runaway policy or a
// starved machine ever comes near it.
const DefaultDeadline = 100 * time.Millisecond

// deadline is a context that can be armed again and again:
// context.WithTimeout would cost four allocations a decision. Its Err is one
// atomic load, which is how package rego asks.
type deadline struct {
	context.Context // Background: no values, no parent
	timer           *time.Timer
	done            chan struct{}
	expired         atomic.Bool
}

func (d *deadline) Done() <-chan struct{} { return d.done }

func (d *deadline) Err() error {
	if d.expired.Load() {
		return context.DeadlineExceeded
	}
	return nil
}

// deadlines lends contexts of one duration.
type deadlines struct {
	after time.Duration // <= 0: no bound
	pool  sync.Pool
}

func (p *deadlines) get() context.Context {
	if p.after <= 0 {
		return context.Background()
	}
	if d, ok := p.pool.Get().(*deadline); ok {
		d.timer.Reset(p.after)
		return d
	}
	d := &deadline{Context: context.Background(), done: make(chan struct{})}
	d.timer = time.AfterFunc(p.after, func() {
		d.expired.Store(true)
		close(d.done)
	})
	return d
}

// put takes a context back. One that has expired, or is about to, is spent.
func (p *deadlines) put(ctx context.Context) {
	if d, ok := ctx.(*deadline); ok && d.timer.Stop() {
		p.pool.Put(d)
	}
}
