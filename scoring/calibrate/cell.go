package calibrate

import (
	"math"
	"sync/atomic"
)

// A cell is one cohort at one level of maturity; beside the cohorts of a level
// lies the pool of all of them, the coarser cell.
const (
	cohorts    = 16
	levels     = 3
	pool       = cohorts // the place of a level's pool
	levelCells = cohorts + 1
	cells      = levels * levelCells
)

func poolOf(level uint8) int { return int(min(level, levels-1))*levelCells + pool }

func cellOf(w *Who) int { return int(min(w.Level, levels-1))*levelCells + int(w.Cohort%cohorts) }

// levelOf is the level of a cell.
func levelOf(cell int) uint8 { return uint8(cell / levelCells) }

const (
	enough    = 500.0   // samples that make a table
	ownEnough = 200.0   // samples that bring a cell's own into a table, beside those of the pool
	trusted   = 5000.0  // own samples from which on the pool has no say
	mostGrow  = 4096.0  // samples from one rebuild to the next, at most
	mostHeld  = 4 << 20 // samples: a float32 counts up to four times that
)

// column is what was counted of one quantity in one cell. It fades: half of it
// is forgotten in a fortnight.
type column struct {
	counts []float32
	n      float64
	due    float64 // n at which the table is built next
	faded  uint32  // when it last faded, seconds
}

const halfLife = fortnight * 24 * 3600 // seconds

func (c *column) add(bin int) {
	c.counts[bin]++
	c.n++
}

// fade lets time pass, an hour at the least. A clock that jumps takes no more
// than half.
func (c *column) fade(now uint32) {
	share := 1.0
	if c.faded == 0 || now < c.faded {
		c.faded = now
	} else if passed := now - c.faded; passed >= 3600 {
		share = math.Exp2(-float64(min(passed, halfLife)) / halfLife)
		c.faded = now
	}
	if c.n*share > mostHeld {
		share /= 2
	}
	if share == 1 {
		return
	}
	c.n = 0
	for b := range c.counts {
		c.counts[b] *= float32(share)
		c.n += float64(c.counts[b])
	}
}

// wait sets when the next table is due: early and often while it is small.
func (c *column) wait() { c.due = c.n + min(max(c.n/8, 25), mostGrow) }

// blend is what a cell's table is built of: its own counts, and as many of the
// pool's as make up for what it lacks. It returns how many that is.
func (c *column) blend(into []float64, pooled *column) float64 {
	share := 0.0
	if pooled != nil && pooled.n > 0 {
		share = min(enough, pooled.n) * max(0, 1-c.n/trusted) / pooled.n
	}
	n := 0.0
	for b := range c.counts {
		into[b] = float64(c.counts[b])
		if share > 0 {
			into[b] += share * float64(pooled.counts[b])
		}
		n += into[b]
	}
	return n
}

// cell is what is known of one.
type cell struct {
	windows float64 // closed in it
	sums    column  // the most that the sum of e-values came to in a window
	fast    ring
	odd     uint16 // the bin from which on a sum is one in a thousand
	rare    uint16 // and one in ten thousand

	// What Score reads, without a lock. A table changes bin by bin: for some
	// microseconds a bin may be newer than its neighbour.
	known  atomic.Uint32          // a bit for each detector with a table here
	judged atomic.Bool            // the scores below are there
	slow   [sumBins]atomic.Uint32 // bits of a float32: the score by the bin of the sum
	score  [sumBins]atomic.Uint32 // the same, no more than the last day's windows allow
	last   [sumBins]float64       // bits: what slow was made of
	today  [sumBins]float64       // bits: what the last day's windows say
}

// publish merges slow and fast into what is read: p = max(p_slow, p_fast).
func (c *cell) publish() {
	for b := range c.last {
		slow := c.last[b]
		both := slow
		if c.fast.speaks() {
			both = min(slow, c.today[b])
		}
		c.slow[b].Store(math.Float32bits(float32(slow * log10of2)))
		c.score[b].Store(math.Float32bits(float32(both * log10of2)))
	}
}

func load(v *atomic.Uint32) float64 { return float64(math.Float32frombits(v.Load())) }
