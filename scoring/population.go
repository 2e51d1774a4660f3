package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// population is what everybody does on one route, as it stood at Begin.
type population struct {
	known          bool // somebody was answered well here
	bytes, records window.Moments
	from           [16]window.SmallSlot // the routes before
	steps          float64              // how many times one was

	adjacent, foreign window.Novelty // of new objects: next to the one before; touched by others only
}

// read takes it from the route's record.
func (p *population) read(rec *profile.Record) {
	from := rec.Population()
	*p = population{
		known: rec.Accepted > 0, bytes: from.Bytes, records: from.Records,
		from: from.Before, steps: finite(from.BeforeN, 0, 1e6), adjacent: from.Adjacent, foreign: from.Foreign,
	}
}

// before is how many times that route was the one before.
func (p *population) before(id uint16) float64 {
	return min(window.SmallSlots(p.from[:]).Weight(id), p.steps)
}
