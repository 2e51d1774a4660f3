package calibrate

import (
	"math"
	"math/bits"
	"sort"
	"sync"
	"sync/atomic"
)

// tables are what is known of all cells. Windows are taken in under the lock;
// Score reads without it.
type tables struct {
	mu        sync.Mutex
	detectors int
	cells     []cell
	columns   []column        // cell by cell, a detector each
	values    []atomic.Uint32 // bits of a float32: e-values, for each column and bin
	odd       []uint8         // the bin from which on a window is one in a thousand, for each column
	rare      []uint8         // and one in ten thousand
	room      [sumBins]float32
	eff, out  [sumBins]float64
}

func newTables(detectors int) *tables {
	t := &tables{
		detectors: detectors,
		cells:     make([]cell, cells),
		columns:   make([]column, cells*detectors),
		values:    make([]atomic.Uint32, cells*detectors*bins),
		odd:       make([]uint8, cells*detectors),
		rare:      make([]uint8, cells*detectors),
	}
	counts := make([]float32, cells*detectors*bins)
	for i := range t.columns {
		t.columns[i].counts = counts[i*bins:][:bins:bins]
		t.columns[i].due = enough
		if i/detectors%levelCells != pool {
			t.columns[i].due = ownEnough
		}
		t.odd[i], t.rare[i] = bins-1, coldRare
	}
	sums := make([]float32, cells*sumBins)
	for i := range t.cells {
		t.cells[i].sums.counts = sums[i*sumBins:][:sumBins:sumBins]
		t.cells[i].sums.due, t.cells[i].odd, t.cells[i].rare = enough, sumBins-1, coldRareSum
		if i%levelCells != pool {
			t.cells[i].sums.due = ownEnough
		}
	}
	return t
}

// evalue is what detector d adds with so many bits: by the cell's own table,
// else by the pool's, else by the model, held back.
func (t *tables) evalue(own, pooled int, d int, s *Surprises, ownKnown, poolKnown uint32) float64 {
	at := own
	if ownKnown>>d&1 == 0 {
		if poolKnown>>d&1 == 0 {
			return float64(modelEvalues[binOf(s.Held[d])])
		}
		at = pooled
	}
	return load(&t.values[(at*t.detectors+d)*bins+binOf(s.Raw[d])])
}

// sum fills in the e-values of those that ran and returns their sum; 0 while
// the level has no tables.
func (t *tables) sum(w *Who, s *Surprises) float64 {
	own, pooled := cellOf(w), poolOf(w.Level)
	poolKnown := t.cells[pooled].known.Load()
	if poolKnown == 0 {
		return 0
	}
	ownKnown := t.cells[own].known.Load()
	sum := 0.0
	for ran := s.Ran; ran != 0; ran &= ran - 1 {
		d := bits.TrailingZeros32(ran)
		e := t.evalue(own, pooled, d, s, ownKnown, poolKnown)
		s.Evalues[d] = float32(e)
		sum += e
	}
	return sum
}

// least is the most surprise of detector d whose e-value is below value.
func (t *tables) least(w *Who, d int, value float64) float64 {
	value = float64(float32(value)) // as tables have it, or the most of all is never reached
	at := cellOf(w)
	if t.cells[at].known.Load()>>d&1 == 0 {
		at = poolOf(w.Level)
	}
	row := t.values[(at*t.detectors+d)*bins:][:bins]
	known := t.cells[at].known.Load()>>d&1 == 1
	b := sort.Search(bins-1, func(b int) bool {
		if known {
			return load(&row[b]) >= value
		}
		return float64(modelEvalues[b]) >= value
	})
	return max(lowerBits[b]-1e-6, 0)
}

// judge is the cell whose scores count for who; nil: none yet.
func (t *tables) judge(w *Who) *cell {
	if c := &t.cells[cellOf(w)]; c.judged.Load() {
		return c
	}
	if c := &t.cells[poolOf(w.Level)]; c.judged.Load() {
		return c
	}
	return nil
}

// build makes a detector's table of one cell anew.
func (t *tables) build(at, d int, now uint32) {
	c := &t.columns[at*t.detectors+d]
	c.fade(now)
	c.wait()
	pooled := &t.columns[poolOf(levelOf(at))*t.detectors+d]
	if pooled == c {
		pooled = nil
	}
	n := c.blend(t.eff[:bins], pooled)
	if n < ownEnough || pooled == nil && n < enough {
		return
	}
	for b := range bins {
		t.room[b] = float32(t.eff[b])
	}
	calibrated(t.out[:bins], t.room[:bins], lowerBits[:], modelTail)
	i := at*t.detectors + d
	t.odd[i], t.rare[i] = bins-1, bins-1
	for b := bins - 1; b >= 0; b-- {
		t.values[i*bins+b].Store(math.Float32bits(float32(evalue(t.out[b]))))
		if t.out[b] >= oddBits {
			t.odd[i] = uint8(b)
		}
		if t.out[b] >= rareBits {
			t.rare[i] = uint8(b)
		}
	}
	t.cells[at].known.Or(1 << d)
}

// oddBits is one window in a thousand, rareBits one in ten thousand. Where there
// is no table yet, 20 bits are rare, and a sum of 256: ten detectors that are
// right come to that in one window of some 25,000.
const (
	oddBits  = 3 / log10of2
	rareBits = 4 / log10of2
	coldRare = 128 + 16

	coldRareSum = 16 * (8 + 1) // log2 of 1/2 is bin 0
)

// buildScores makes the table of a cell's scores anew.
func (t *tables) buildScores(at int, now uint32) {
	c := &t.cells[at]
	c.sums.fade(now)
	c.sums.wait()
	var pooled *column
	if at%levelCells != pool {
		pooled = &t.cells[poolOf(levelOf(at))].sums
	}
	n := c.sums.blend(t.eff[:], pooled)
	if n < ownEnough || pooled == nil && n < enough {
		return
	}
	for b := range t.room {
		t.room[b] = float32(t.eff[b])
	}
	calibrated(c.last[:], t.room[:], lowerSums[:], sumTail)
	c.odd = uint16(sort.Search(sumBins-1, func(b int) bool { return c.last[b] >= oddBits }))
	if c.rare = uint16(sort.Search(sumBins-1, func(b int) bool { return c.last[b] >= rareBits })); int(c.rare) > sumBin(evalue(attested)) {
		c.rare = coldRareSum // who found the table empty, and filled it so far out, must not go on
	}
	c.publish()
	c.judged.Store(true)
}

// buildFast does the same for the last day's windows.
func (t *tables) buildFast(at int) {
	c := &t.cells[at]
	if c.fast.speaks() {
		calibrated(c.today[:], c.fast.counts[:], lowerSums[:], fastTail)
	}
	c.publish()
}

// fastTail is believed of the last day's windows unless they say otherwise: some
// forty of them are in the tail, and what forty say of one in ten thousand is
// mostly noise. They count only as far as they are clearly more than usual, or
// the larger of both p-values would be too large by half on every ordinary day.
var fastTail = tail{mean: 0.5 / math.Ln2, shape: 0, weight: 60, caution: 2}
