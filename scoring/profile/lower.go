package profile

import "github.com/VictoriaMetrics/fastcache"

// The level below the slab: a fastcache of packed records (pack.go).
//
// fastcache is a ring of writes, not of live keys: every Set appends, and what
// is overwritten is what was written longest ago, used or not. So a record is
// written there once, when it leaves the slab, and never while it is in use.
// It is in one level at a time: promotion takes it out below, and all that
// touches a key happens under its shard's lock, so no old copy can come back.
//
// How Config.Memory is shared out: below 128 MiB everything is slab, since
// fastcache holds 32 MiB at the least and always a multiple of that. From there
// on an eighth of it, rounded down to a whole multiple, holds packed records,
// and three eighths of that eighth pay for finding them: the keys here, and
// fastcache's own index on the Go heap.
const (
	lowerLeast = 128 << 20
	lowerGrain = 32 << 20
	lowerKey   = 256 // bytes of packed records for which there is a place in the list of keys
	keySize    = 16
	lowerEntry = 40 // bytes of fastcache's index for a record, at most on average
	lowerSweep = 16 // writes between two looks at the oldest places: what has fastcache overwritten?
)

// lowerSize is how many bytes of packed records a store of so much memory holds.
func lowerSize(memory Bytes) Bytes {
	if memory < lowerLeast {
		return 0
	}
	return max(lowerGrain, memory/8/lowerGrain*lowerGrain)
}

// lowerCost is what they take all in.
func lowerCost(size Bytes) Bytes { return size + size*3/8 }

// lower is one shard's part of the level below: which keys are there.
//
// fastcache can be asked for a key, not for all of them, and a snapshot needs
// all. So the keys are listed here in a ring of our own, in the order they were
// written. A place is vacant (the zero Key) once its record was promoted or
// forgotten. What fastcache overwrote without telling is noticed when its place
// is looked at: the oldest every few writes, all of them by a snapshot.
type lower struct {
	cache *fastcache.Cache // shared by all shards; nil: there is no level below
	keys  []Key
	head  uint64 // places written so far; place n is keys[n mod len]
	tail  uint64 // places before it are vacant
	live  uint32 // places that are not
	lost  uint64 // records overwritten
}

// stow writes down a record that leaves the slab.
func (l *lower) stow(r *Record) {
	var buf [packedMax]byte
	if l.head-l.tail == uint64(len(l.keys)) {
		l.expire(&buf)
	}
	if l.head%lowerSweep == 0 {
		for range 2 * lowerSweep {
			if l.tail == l.head {
				break
			}
			if _, _, ok := l.listed(&buf, l.tail); ok {
				break
			}
			l.tail++
		}
	}
	at := l.place(l.head)
	l.keys[at] = r.Key
	l.head++
	l.live++
	l.cache.Set(r.Key.bytes()[:], pack(&buf, at, r))
}

// take removes the key's record, if it is here, and appends it to b, packed.
func (l *lower) take(b []byte, k Key) (packed []byte, ok bool) {
	b = l.cache.Get(b, k.bytes()[:])
	at, ok := packedPosition(b)
	if ok {
		l.remove(at, k)
	}
	return b, ok
}

// forget removes the key's record and says whether there was one. Its bytes
// stay in fastcache's memory, where nothing leads to them any more, until they
// are overwritten; no file ever holds them again.
func (l *lower) forget(k Key) bool {
	if l.live == 0 {
		return false
	}
	var buf [packedMax]byte
	_, ok := l.take(buf[:0], k)
	return ok
}

// each calls f with a copy of each record at the places from n on, at most steps
// of them, until it returns false.
func (l *lower) each(n uint64, steps int, f func(*Record) bool) (next uint64, ok bool) {
	n = max(n, l.tail)
	end := min(n+uint64(steps), l.head)
	if n >= end {
		return n, true
	}
	var buf [packedMax]byte
	r := new(Record)
	for ; n < end; n++ {
		packed, k, ok := l.listed(&buf, n)
		if !ok {
			continue
		}
		if unpack(packed, k, r); !f(r) {
			return n + 1, false
		}
	}
	return n, true
}

// listed returns the record that is listed at place n, if the place is not
// vacant. It is now, and the record counts as lost, if fastcache holds another
// one of the key or none: it was overwritten, and perhaps made anew and stowed
// again.
func (l *lower) listed(buf *[packedMax]byte, n uint64) (packed []byte, k Key, ok bool) {
	at := l.place(n)
	if k = l.keys[at]; k == (Key{}) {
		return nil, k, false
	}
	packed = l.cache.Get(buf[:0], k.bytes()[:])
	if position, ok := packedPosition(packed); ok && position == at {
		return packed, k, true
	}
	l.keys[at] = Key{}
	l.live--
	l.lost++
	return nil, k, false
}

// expire gives up the oldest place, with its record if it has one.
func (l *lower) expire(buf *[packedMax]byte) {
	if _, k, ok := l.listed(buf, l.tail); ok {
		l.remove(l.place(l.tail), k)
		l.lost++
	}
	l.tail++
}

func (l *lower) remove(at uint32, k Key) {
	l.cache.Del(k.bytes()[:])
	l.keys[at] = Key{}
	l.live--
}

func (l *lower) place(n uint64) uint32 { return uint32(n % uint64(len(l.keys))) }
