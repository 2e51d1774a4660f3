package profile

// rangeStep is how many records are visited under one hold of a lock: some
// 30 µs of copying, which is the longest that Range and Save delay a request.
const rangeStep = 256

// Range calls f for every record until it returns false. Each shard is locked
// for up to 256 records at a time: f may change the record, must not keep it,
// and must not call the store. A record created, evicted or recreated
// meanwhile may be missed or met twice; one that stays is met once.
func (s *Store) Range(f func(*Record) bool) {
	for i := range s.shards {
		sh := &s.shards[i]
		for from, more := uint32(0), true; more; from += rangeStep {
			ok := true
			if ok, more = sh.rangeFrom(from, f); !ok {
				return
			}
		}
	}
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

// Stats says what a store holds and has done.
type Stats struct {
	Records   [KindCount]int // by kind
	Total     int            // of all kinds
	Probation int            // of them, fewer than Established accepted requests
	Protected int            // Established; routes are neither

	CapacityRecords int   // how many fit under the cap
	Bytes           Bytes // taken by records, index and bookkeeping so far
	CapacityBytes   Bytes // what they take when full; at most Config.Memory

	Created          uint64 // since start, loaded ones included
	EvictedProbation uint64
	EvictedProtected uint64 // established profiles lost: more memory would have kept them
}

// Stats locks one shard after the other.
func (s *Store) Stats() Stats {
	var st Stats
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for k, n := range sh.kinds {
			st.Records[k] += int(n)
			st.Total += int(n)
		}
		st.Probation += int(sh.members[probation])
		st.Protected += int(sh.members[protected])
		st.Created += sh.created
		st.EvictedProbation += sh.evicted[probation]
		st.EvictedProtected += sh.evicted[protected] + sh.evicted[fixed]
		st.Bytes += Bytes(len(sh.chunks) * chunkCost)
		st.CapacityBytes += Bytes(cap(sh.chunks) * chunkCost)
		st.CapacityRecords += int(sh.capacity)
		sh.mu.Unlock()
	}
	return st
}
