package quarantine

import (
	"context"
	"time"
)

// beat is how often Run looks at the journal, and at the least when blocks end.
const beat = time.Second

// Run ends blocks in time and makes the journal durable, until ctx is done.
func (t *Table) Run(ctx context.Context, clock func() time.Time) {
	timer := time.NewTimer(beat)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			now := clock()
			wait := beat
			if next := t.Sweep(now); !next.IsZero() {
				// Not before the end, or it would not be over; and with a pause, since many
				// may end one after the other.
				wait = min(beat, max(next.Sub(now)+time.Millisecond, beat/10))
			}
			timer.Reset(wait)
		case <-ctx.Done():
			return
		}
	}
}
