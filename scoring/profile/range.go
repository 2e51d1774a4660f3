package profile

// How many records are visited under one hold of a lock: some 30 µs of copying,
// which is the longest that Range and Save delay a request.
const (
	rangeStep = 256
	lowerStep = 64 // below the slab, where each has to be looked up
)

// Range calls f for every record of both levels until it returns false. Each
// shard is locked for up to 256 records at a time: f must not keep the record,
// and must not call the store. A record of the slab f may change; of one below
// it sees a copy. A record created, evicted or recreated meanwhile may be missed
// or met twice; one that stays is met once.
func (s *Store) Range(f func(*Record) bool) {
	for i := range s.shards {
		if !s.shards[i].each(f, func() bool { return true }) {
			return
		}
	}
}

// each calls f for every record of the shard, and pause after every hold of its
// lock, until one of them returns false.
//
// The level below comes first, then the slab, then what has come down since: a
// record that moves meanwhile is met where it was or where it went. Only one
// that moves twice while a shard is visited, which takes milliseconds, may be
// missed.
func (sh *shard) each(f func(*Record) bool, pause func() bool) bool {
	place, ok := sh.eachBelow(0, f, pause)
	for from, more := uint32(0), true; ok && more; from += rangeStep {
		ok, more = sh.rangeFrom(from, f)
		ok = ok && pause()
	}
	if ok {
		_, ok = sh.eachBelow(place, f, pause)
	}
	return ok
}

// eachBelow visits the level below, from a place to where it ends now.
func (sh *shard) eachBelow(place uint64, f func(*Record) bool, pause func() bool) (next uint64, ok bool) {
	if sh.lower.cache == nil {
		return 0, true
	}
	sh.mu.Lock()
	end := sh.lower.head
	sh.mu.Unlock()
	for ok = true; ok && place < end; {
		place, ok = sh.lowerFrom(place, f)
		ok = ok && pause()
	}
	return place, ok
}

func (sh *shard) rangeFrom(from uint32, f func(*Record) bool) (ok, more bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock() // f may panic
	end := min(from+rangeStep, sh.used)
	for i := from; i < end; i++ {
		slot := sh.slot(i)
		if sh.slab.classes[slot] == vacant {
			continue
		}
		if !f(&sh.slab.records[slot]) {
			return false, false
		}
		sh.settle(slot)
	}
	return true, end < sh.used
}

func (sh *shard) lowerFrom(place uint64, f func(*Record) bool) (next uint64, ok bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.lower.each(place, lowerStep, f)
}
