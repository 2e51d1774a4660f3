package quarantine

import (
	"context"
	"time"
)

// beat is how often the journal is made durable.
const beat = time.Second

// Run ends blocks in time and looks after the journal, until ctx is done.
func (t *Table) Run(ctx context.Context, clock func() time.Time) {
	ends, upkeep := time.NewTimer(beat), time.NewTicker(beat)
	defer ends.Stop()
	defer upkeep.Stop()
	for {
		select {
		case <-ends.C:
			now, wait := clock(), beat
			if next := t.Sweep(now); !next.IsZero() {
				// Not before the end, or it would not be over; and with a pause, since many
				// may end one after the other.
				wait = min(beat, max(next.Sub(now)+time.Millisecond, beat/10))
			}
			ends.Reset(wait)
		case <-upkeep.C:
			t.Upkeep(clock())
		case <-ctx.Done():
			t.Upkeep(clock())
			return
		}
	}
}
