package profile

import (
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/fastcache"
)

const (
	chunkRecords = 16 // a shard takes room from the slab in chunks of this many records, 16 KiB

	// chunkCost is what a chunk takes all in: a record each, with one and a half
	// index entries of 8 bytes and its class; and its entry in the chunk list.
	// That makes 1,037.25 bytes a record.
	chunkCost = chunkRecords*(RecordSize+12+1) + 4
)

// Store holds all profiles in one slab of fixed records, updated in place.
//
// 64 to 1024 shards by key, as many as shardsOf says, a mutex and an index each;
// nobody ever holds two. The slab
// is reserved whole as address space; shards take chunks from it in the order
// they need them, so resident memory grows densely with the callers. At the
// cap a new record takes an old one's place: see evict.go for whose.
//
// An established record that has to go moves to the level below, and comes back
// on its next sight: see lower.go.
type Store struct {
	slab    slab
	lower   *fastcache.Cache // nil: there is no level below
	shards  []shard
	shift   uint8    // of a hash: what is left names the shard
	indexes []uint64 // of all shards, entries each
	owners  Owners
	entries int

	saving    sync.Mutex
	forgotten atomic.Uint64 // calls of Forget
	purged    uint64        // of them, those that no snapshot remembers; under saving
}

// slab is the memory that the shards share out among themselves.
type slab struct {
	records []Record
	classes []class // by slot; beside the records so that eviction can walk them
	taken   atomic.Uint32
}

// New returns an empty store. cfg must be valid; a zero Memory is the default.
func New(cfg Config) *Store {
	if cfg.Memory == 0 {
		cfg = Default()
	}
	size := lowerSize(cfg.Memory)
	s := newStore(cfg.Memory-lowerCost(size)-cfg.Memory/ownersShare, size)
	s.owners = newOwners(cfg.Memory)
	return s
}

// Owners are those of the API's objects.
func (s *Store) Owners() *Owners { return &s.owners }

// newStore shares out memory as it is told: the slab's and what belongs to it,
// and the size of the level below.
func newStore(memory, below Bytes) *Store {
	shards := shardsOf(memory)
	chunks := max(int(memory)/shards/chunkCost, 1)
	perShard := chunks * chunkRecords
	entries := perShard * 3 / 2

	s := &Store{shards: make([]shard, shards), shift: shardShift(shards), entries: entries}
	s.slab.records = reserve[Record](shards * perShard)
	s.slab.classes = reserve[class](shards * perShard)
	s.indexes = reserve[uint64](shards * entries)
	lists := make([]uint32, shards*chunks)
	for i := range s.shards {
		sh := &s.shards[i]
		sh.slab = &s.slab
		sh.index = s.indexes[i*entries : (i+1)*entries]
		sh.chunks = lists[i*chunks : i*chunks : (i+1)*chunks]
		sh.capacity = uint32(perShard)
	}
	if below > 0 {
		s.lower = fastcache.New(int(below))
		places := int(below) / lowerKey / shards
		keys := reserve[Key](shards * places)
		for i := range s.shards {
			s.shards[i].lower = lower{cache: s.lower, keys: keys[i*places : (i+1)*places]}
		}
	}
	return s
}

// Close gives the memory back at once, for programs that make many stores.
// Nothing of the store may be used afterwards, records included.
func (s *Store) Close() {
	release(s.indexes)
	release(s.owners.sets)
	release(s.slab.records)
	release(s.slab.classes)
	if s.lower != nil {
		keys, n := s.shards[0].lower.keys, len(s.shards)
		release(keys[: len(keys)*n : len(keys)*n])
		s.lower.Reset()
	}
	s.slab.records, s.slab.classes, s.indexes, s.lower, s.shards = nil, nil, nil, nil, nil
}

// Pin is the right to use one record: its shard's lock. Hold it for a moment
// only, and never two: a second Acquire under a Pin may wait for itself.
type Pin struct {
	shard *shard
	slot  uint32
	young bool // not established when it was pinned: it may be by the Release
}

func (s *Store) pin(sh *shard, slot uint32) (*Record, Pin) {
	rec := &s.slab.records[slot]
	return rec, Pin{shard: sh, slot: slot, young: rec.Accepted < Established}
}

// Release gives up the record, which must not be touched any more. A zero Pin
// releases nothing. Where the code between may panic, defer it.
func (p Pin) Release() {
	if p.shard == nil {
		return
	}
	if p.young {
		p.shard.settle(p.slot)
	}
	p.shard.mu.Unlock()
}

// Handle names the pinned record for later.
func (p Pin) Handle() Handle {
	r := &p.shard.slab.records[p.slot]
	return Handle{Key: r.Key, Generation: r.Generation, slot: p.slot}
}

// Handle is what one keeps instead of a pointer: a record as it was created
// once, whichever level it is in now. When it has been dropped since, or dropped
// and created anew, FindHandle finds nothing. The zero Handle never finds
// anything.
type Handle struct {
	Key        Key
	Generation uint32
	slot       uint32 // where it was: a chunk never changes its shard, so the shard's lock guards it still
}

// Acquire locks the key's shard and returns its record, which it creates when
// there is none: zero but for Key, Kind, Version, Generation, Created and
// LastSeen. One that is in the level below comes back. At the cap either
// evicts. Release the Pin.
func (s *Store) Acquire(k Key, kind Kind, now uint32) (rec *Record, pin Pin, created bool) {
	h := k.hash()
	sh, tag := s.shard(h), uint32(h)
	sh.mu.Lock()
	slot, ok := sh.index.find(tag, k, s.slab.records)
	if ok {
		sh.found++
	} else if slot, ok = sh.promote(tag, k); !ok {
		slot = sh.create(tag, k, kind, now)
	}
	rec, pin = s.pin(sh, slot)
	return rec, pin, !ok
}

// Find locks the key's shard and returns its record if there is one, in either
// level. If there is none nothing is locked.
func (s *Store) Find(k Key) (*Record, Pin, bool) {
	h := k.hash()
	sh := s.shard(h)
	sh.mu.Lock()
	tag := uint32(h)
	slot, ok := sh.index.find(tag, k, s.slab.records)
	if ok {
		sh.found++
	} else if slot, ok = sh.promote(tag, k); !ok {
		sh.mu.Unlock()
		return nil, Pin{}, false
	}
	rec, pin := s.pin(sh, slot)
	return rec, pin, true
}

// FindHandle is Find for the very record the handle was taken from.
func (s *Store) FindHandle(h Handle) (*Record, Pin, bool) {
	if h.Generation == 0 {
		return nil, Pin{}, false
	}
	sh := s.shard(h.Key.hash())
	sh.mu.Lock()
	if r := &s.slab.records[h.slot]; r.Generation == h.Generation && r.Key == h.Key {
		sh.found++ // it stayed where it was
		rec, pin := s.pin(sh, h.slot)
		return rec, pin, true
	}
	sh.mu.Unlock()
	rec, pin, ok := s.Find(h.Key)
	if ok && rec.Generation != h.Generation {
		pin.Release()
		return nil, Pin{}, false
	}
	return rec, pin, ok
}

// Forget erases the key's record from both levels and says whether there was
// one. Snapshots made before still have it: the next Save removes them all, so
// whoever forgets for good saves right away. Scorer.Forget reaches beyond records.
func (s *Store) Forget(k Key) bool {
	h := k.hash()
	sh := s.shard(h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	defer s.forgotten.Add(1) // once it is gone; a Save under way began before that
	slot, ok := sh.index.find(uint32(h), k, s.slab.records)
	if !ok {
		return sh.lower.forget(k)
	}
	sh.forget(slot)
	return true
}

func (s *Store) shard(hash uint64) *shard { return &s.shards[s.shardOf(hash)] }

// shardOf is the number of the hash's shard: its top bits. The mask tells the
// compiler that the shift is less than 64.
func (s *Store) shardOf(hash uint64) int { return int(hash >> (s.shift & 63)) }

// indexOf is the index of the hash's shard, of which only entries ever change.
func (s *Store) indexOf(hash uint64) index {
	from := s.shardOf(hash) * s.entries
	return s.indexes[from : from+s.entries]
}
