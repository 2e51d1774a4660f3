package profile

import "sync"

// shard is an equal part of the keys, under one lock (shards.go). Padded to whole pairs of
// cache lines: neighbours' locks must not travel together, wherever the heap
// puts the first.
type shard struct {
	mu         sync.Mutex
	slab       *slab
	index      index
	found      uint64   // lookups that ended in the slab
	chunks     []uint32 // first slots of the chunks taken
	free       []uint32 // slots of forgotten records
	used       uint32   // positions handed out, free ones included
	capacity   uint32
	hand       uint32 // where eviction looks next
	generation uint32 // of the last record created here
	members    [classes]uint32
	lower      lower
	counters
	_ [88]byte
}

// counters are a shard's part of Stats.
type counters struct {
	kinds    [KindCount]uint32
	created  uint64
	evicted  [classes]uint64 // records gone for good
	stowed   uint64          // moved to the level below
	promoted uint64          // and back
	missed   uint64          // lookups that ended in neither level
}

// slot is the place in the slab of the shard's i-th position.
func (sh *shard) slot(i uint32) uint32 { return sh.chunks[i/chunkRecords] + i%chunkRecords }

// create makes a record for a key that has none.
//
// The generation counts creations in the shard, and a key never changes its
// shard: so (key, generation) names one incarnation, whichever slot it is in.
func (sh *shard) create(tag uint32, k Key, kind Kind, now uint32) (slot uint32) {
	slot = sh.room()
	if sh.generation++; sh.generation == 0 {
		sh.generation = 1 // 0 is the zero Handle's
	}
	r := &sh.slab.records[slot]
	*r = Record{Header: Header{
		Key: k, Version: Version, Kind: kind, Generation: sh.generation, Created: now, LastSeen: now,
	}}
	sh.index.insert(tag, slot)
	sh.created++
	sh.kinds[r.Kind]++
	sh.enter(slot, kind)
	return slot
}

// room returns a slot with no record: of a forgotten one, else the next of the
// shard's newest chunk, else of a new chunk, else of the record that has to go.
func (sh *shard) room() uint32 {
	if n := len(sh.free); n > 0 {
		slot := sh.free[n-1]
		sh.free = sh.free[:n-1]
		return slot
	}
	if sh.used < sh.capacity {
		if int(sh.used/chunkRecords) == len(sh.chunks) {
			sh.chunks = append(sh.chunks, sh.slab.taken.Add(chunkRecords)-chunkRecords)
		}
		sh.used++
		return sh.slot(sh.used - 1)
	}
	slot := sh.victim()
	if sh.lower.cache != nil && sh.slab.classes[slot] != probation {
		sh.lower.stow(&sh.slab.records[slot])
		sh.stowed++
	} else {
		sh.evicted[sh.slab.classes[slot]]++
	}
	sh.drop(slot)
	return slot
}

// promote brings a key's record back from the level below, as the incarnation
// that it was: whoever holds its Handle finds it again.
func (sh *shard) promote(tag uint32, k Key) (slot uint32, ok bool) {
	if sh.lower.live == 0 {
		sh.missed++
		return 0, false
	}
	var buf [packedMax]byte
	packed, ok := sh.lower.take(buf[:0], k)
	if !ok {
		sh.missed++
		return 0, false
	}
	slot = sh.room() // which may send another down; packed is ours already
	r := &sh.slab.records[slot]
	unpack(packed, k, r)
	sh.index.insert(tag, slot)
	sh.promoted++
	sh.kinds[r.Kind]++
	sh.enter(slot, r.Kind)
	sh.settle(slot)
	return slot, true
}

// drop takes the slot's record out of index and counts.
func (sh *shard) drop(slot uint32) {
	r := &sh.slab.records[slot]
	sh.index.remove(uint32(r.Key.hash()), slot)
	sh.kinds[r.Kind]--
	sh.leave(slot)
}

// forget erases the slot's record and keeps the slot for the next.
func (sh *shard) forget(slot uint32) {
	sh.drop(slot)
	sh.slab.records[slot] = Record{}
	sh.free = append(sh.free, slot)
}
