package profile

import "github.com/VictoriaMetrics/fastcache"

// Stats says what a store holds and has done. Counts of what was done are since
// the start, loading included but for lookups.
type Stats struct {
	Records   [KindCount]int // in the slab, by kind
	Total     int            // of all kinds
	Probation int            // of them, fewer than Established accepted requests
	Protected int            // Established; routes are neither
	Below     int            // established ones in the level below; what it overwrote last may count until a Save

	CapacityRecords int   // how many fit into the slab
	Bytes           Bytes // taken by records, index and bookkeeping of both levels so far
	CapacityBytes   Bytes // what they and the table of owners take when full; at most Config.Memory

	Created  uint64
	Stowed   uint64 // moves from the slab to the level below
	Promoted uint64 // and back: lookups that ended there
	Found    uint64 // lookups that ended in the slab
	Missed   uint64 // lookups that found no record; creations are among them

	// Records gone for good, to make room for others.
	EvictedProbation uint64
	EvictedProtected uint64 // established profiles lost: more memory would have kept them
	Overwritten      uint64 // of them, in the level below; the others had none below them
}

// Retention is the share, 0 to 1, of established profiles that are still held,
// of all that ever were and nobody asked to forget.
func (st *Stats) Retention() float64 {
	kept := float64(st.Protected + st.Below)
	if kept == 0 && st.EvictedProtected == 0 {
		return 1
	}
	return kept / (kept + float64(st.EvictedProtected))
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
		st.Below += int(sh.lower.live)
		st.Created += sh.created
		st.Stowed += sh.stowed
		st.Promoted += sh.promoted
		st.Found += sh.found
		st.Missed += sh.missed
		st.EvictedProbation += sh.evicted[probation]
		st.EvictedProtected += sh.evicted[protected] + sh.evicted[fixed] + sh.lower.lost
		st.Overwritten += sh.lower.lost
		st.Bytes += Bytes(len(sh.chunks)*chunkCost) + Bytes(min(sh.lower.head, uint64(len(sh.lower.keys))))*keySize
		st.CapacityBytes += Bytes(cap(sh.chunks) * chunkCost)
		st.CapacityRecords += int(sh.capacity)
		sh.mu.Unlock()
	}
	st.CapacityBytes += s.owners.size()
	if s.lower != nil {
		var below fastcache.Stats
		s.lower.UpdateStats(&below)
		st.Bytes += Bytes(below.BytesSize + below.EntriesCount*lowerEntry)
		st.CapacityBytes += lowerCost(Bytes(below.MaxBytesSize))
	}
	return st
}
