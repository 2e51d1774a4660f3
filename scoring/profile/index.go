package profile

import (
	"math/bits"
	"sync/atomic"
)

// index finds a record's slot by its key: open addressing with linear probing,
// and backward shift on removal, so there are no tombstones and a probe ends at
// the first empty entry. It is sized once for the cap, at 3/2 entries a record
// (load 2/3): 12 bytes beside 1,024, and never a moment with two tables.
//
// An entry is 32 bits of the key's hash above slot+1. The hash alone gives the
// entry's home, so removal moves entries without touching records, and a
// foreign record is looked at once in 2^32 probes. Zero is empty.
type index []uint64

func entry(tag uint32, slot uint32) uint64 { return uint64(tag)<<32 | uint64(slot+1) }
func entryTag(e uint64) uint32             { return uint32(e >> 32) }
func entrySlot(e uint64) uint32            { return uint32(e) - 1 }

// home spreads tags evenly over an index of any length (Lemire's reduction).
func (x index) home(tag uint32) uint32 { return uint32(uint64(tag) * uint64(len(x)) >> 32) }

func (x index) next(i uint32) uint32 {
	if i++; int(i) == len(x) {
		return 0
	}
	return i
}

// find returns the slot whose record has the key.
func (x index) find(tag uint32, key Key, records []Record) (slot uint32, ok bool) {
	for i := x.home(tag); x[i] != 0; i = x.next(i) {
		if entryTag(x[i]) == tag {
			if s := entrySlot(x[i]); records[s].Key == key {
				return s, true
			}
		}
	}
	return 0, false
}

// insert adds a slot that is not there. There is always room: the index is
// longer than the shard has records.
func (x index) insert(tag, slot uint32) {
	i := x.home(tag)
	for x[i] != 0 {
		i = x.next(i)
	}
	x.set(i, entry(tag, slot))
}

// set writes an entry in one piece: slotHint reads without the lock.
func (x index) set(i uint32, e uint64) { atomic.StoreUint64(&x[i], e) }

// remove takes out the slot and closes the gap: every later entry of the run
// whose home is not between the gap and itself moves into it (Knuth 6.4 R).
func (x index) remove(tag, slot uint32) {
	gap := x.home(tag)
	for x[gap] != entry(tag, slot) {
		gap = x.next(gap)
	}
	for i := x.next(gap); x[i] != 0; i = x.next(i) {
		home := x.home(entryTag(x[i]))
		// Is home cyclically in (gap, i]? Then the entry is where it belongs.
		if (gap < home && home <= i) || (i < gap && (gap < home || home <= i)) {
			continue
		}
		x.set(gap, x[i])
		gap = i
	}
	x.set(gap, 0)
}

// hash mixes a key into 64 bits, of which the top name the shard and the low
// 32 are the tag. Keys are keyed hashes already; this is for keys that are not
// (tests, simulations), and costs one multiplication.
func (k Key) hash() uint64 {
	hi, lo := bits.Mul64(k.Hi^0x9E3779B97F4A7C15, k.Lo^0xD1B54A32D192ED03)
	return hi ^ lo
}
