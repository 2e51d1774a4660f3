package policy

import (
	"sync"
	"sync/atomic"
	"time"
)

// pace counts the exchanges that are judged, and how many a minute has.
type pace struct {
	judged tally
	minute atomic.Int64 // since 1970, the one that is counted

	mu     sync.Mutex
	before uint64 // judged when the minute began
	last   uint64 // judged in the minute before; 0: not known
}

// count is asked for every exchange.
func (p *pace) count(now time.Time) {
	p.judged.inc()
	if m := minuteOf(now); m > p.minute.Load() {
		p.turn(m)
	}
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func (p *pace) turn(m int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	past := m - p.minute.Load()
	if past <= 0 {
		return
	}
	total := p.judged.sum()
	if p.last = 0; past == 1 {
		p.last = total - p.before
	}
	p.before = total
	p.minute.Store(m)
}

// now is the minute with what it has so far, and what the one before had.
func (p *pace) now() (minute int64, judged, last float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.minute.Load(), float64(p.judged.sum() - p.before), float64(p.last)
}
