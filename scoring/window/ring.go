package window

// A ring is a []uint16 whose slot i holds the bucket of all seconds t with
// (t/width) mod len(ring) == i. It covers len(ring) buckets that end with the
// one now is in, provided Advance was called first with the ring's clock.
//
// The usual turn, with last the record's clock:
//
//	now = max(last, now)
//	if window.Passed(width, last, now) > 0 { baseline.Add(window.Current(ring, width, last), 1) }
//	window.Advance(ring, width, last, now)
//	window.Add(ring, width, now, 1)
//
// Every access advances, so no bucket between last's and now's holds anything: at
// most one bucket with activity closes at a time, and a baseline that learns from
// active buckets needs no other.

// Advance zeroes the slots of the buckets that began after last, up to and
// including that of now. Slots older than the ring are gone anyway, so it
// costs at most len(ring) writes after any idle time. It does nothing when now
// is in last's bucket or before it.
func Advance(ring []uint16, width, last, now uint32) {
	n := Passed(width, last, now)
	if n == 0 {
		return
	}
	size := uint32(len(ring))
	if n >= size {
		clear(ring)
		return
	}
	i := (last / width) % size
	for range n {
		if i++; i == size {
			i = 0
		}
		ring[i] = 0
	}
}

// Passed is how many buckets began after last, up to now.
func Passed(width, last, now uint32) uint32 {
	if now <= last {
		return 0
	}
	return now/width - last/width
}

// Add counts n more in the bucket of now, saturating at 65,535.
func Add(ring []uint16, width, now, n uint32) {
	p := &ring[slot(ring, width, now)]
	*p = uint16(min(uint64(*p)+uint64(n), 1<<16-1))
}

// Undo takes back n that were added at the time at, if that bucket is still in
// the ring at now; never below zero. A saturated slot loses n like any other.
func Undo(ring []uint16, width, at, now, n uint32) {
	if Passed(width, at, now) >= uint32(len(ring)) {
		return
	}
	p := &ring[slot(ring, width, at)]
	*p -= uint16(min(uint32(*p), n))
}

// Remove takes out the latest n of all that the ring holds at now.
func Remove(ring []uint16, width, now, n uint32) {
	size := uint32(len(ring))
	for i := range size {
		p := &ring[(now/width+size-i)%size]
		out := min(uint32(*p), n)
		*p -= uint16(out)
		n -= out
	}
}

// Current is the count in the bucket of now.
func Current(ring []uint16, width, now uint32) float64 {
	return float64(ring[slot(ring, width, now)])
}

// Sliding estimates the count in the width seconds that end with now: the
// current bucket and as much of the previous one as still lies in the window,
//
//	current + previous*(1 - fraction)
//
// where fraction is how much of the current bucket has passed. It is exact
// when the previous bucket's events were evenly spread.
func Sliding(ring []uint16, width, now uint32) float64 {
	current, previous, weight := pair(ring, width, now)
	return float64(current) + float64(previous)*weight
}

// Sum is the count in the whole ring.
func Sum(ring []uint16) float64 {
	sum := 0
	for _, v := range ring {
		sum += int(v)
	}
	return float64(sum)
}

func slot(ring []uint16, width, at uint32) uint32 {
	return (at / width) % uint32(len(ring))
}

// pair returns the slots of now's bucket and of the one before, and the share
// of the latter that a window of one width still covers.
func pair(ring []uint16, width, now uint32) (current, previous uint16, weight float64) {
	i := slot(ring, width, now)
	j := i
	if j == 0 {
		j = uint32(len(ring))
	}
	weight = 1 - float64(now%width)/float64(width)
	return ring[i], ring[j-1], weight
}
