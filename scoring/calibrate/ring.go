package calibrate

// ring holds the sums of e-values of a cell's last windows, one an identity and
// day, so that what everybody does today is not odd: a campaign, a batch at the
// end of the month, an outage. What alarmed is left out, or an attack would
// make itself usual.
type ring struct {
	bins   [ringSize]uint16
	times  [ringSize]uint32
	counts [sumBins]float32
	next   int // where the next one goes
	n      int
	fresh  int // since the table was built
}

const (
	ringSize  = 1536
	ringLeast = 200       // that it takes to speak
	ringDay   = 24 * 3600 // seconds: older ones are not today's
	ringStep  = 16        // from one table to the next
)

// speaks: there are windows enough.
func (r *ring) speaks() bool { return r.n >= ringLeast }

// add takes a window and says whether the table is due.
func (r *ring) add(bin int, now uint32) bool {
	if r.n == ringSize {
		r.drop()
	}
	r.bins[r.next], r.times[r.next] = uint16(bin), now
	r.counts[bin]++
	r.next = (r.next + 1) % ringSize
	r.n++
	for r.n > 0 && now-min(r.times[r.oldest()], now) > ringDay {
		r.drop()
	}
	if r.fresh++; r.fresh < ringStep {
		return false
	}
	r.fresh = 0
	return true
}

func (r *ring) oldest() int { return (r.next - r.n + ringSize) % ringSize }

func (r *ring) drop() {
	r.counts[r.bins[r.oldest()]]--
	r.n--
}

// turn is the hour of the day from which on an identity's next window goes into
// the ring: another one for each, or all would be of the early morning.
func turn(key uint64, day uint32) uint32 {
	h := (key ^ uint64(day)*0x9E37_79B9_7F4A_7C15) * 0xBF58_476D_1CE4_E5B9
	return uint32(h>>40) % 24
}
