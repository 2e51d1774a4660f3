package profile

import (
	"encoding/binary"
	"math/bits"
)

// A record that nobody uses is mostly zeros: slots never taken, rings of hours
// long past, the tail of a kind that needs little. Below the slab it lies
// packed, so that a byte there remembers two to three times as many as here:
//
//	 4  u32 position in the shard's list of keys (lower.go)
//	16  bit i: is 8-byte word i of the record other than 0?
//	..  those words
//
// The key, words 0 and 1, is the entry's own. This is no format: it never
// leaves the process, snapshots hold whole records.
const (
	recordWords = RecordSize / 8
	keyWords    = 2
	packedHead  = 4 + recordWords/8
	packedMax   = packedHead + RecordSize
)

// pack appends the packed record to b.
func pack(b []byte, position uint32, r *Record) []byte {
	b = binary.LittleEndian.AppendUint32(b, position)
	b = append(b, make([]byte, recordWords/8)...)
	var mask [recordWords / 64]uint64
	for i, w := range r.words() {
		if w != 0 && i >= keyWords {
			mask[i/64] |= 1 << (i % 64)
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	head := b[len(b)-8*(bits.OnesCount64(mask[0])+bits.OnesCount64(mask[1]))-recordWords/8:]
	binary.LittleEndian.PutUint64(head, mask[0])
	binary.LittleEndian.PutUint64(head[8:], mask[1])
	return b
}

// packedPosition is the position that pack was given, if b is whole.
func packedPosition(b []byte) (position uint32, ok bool) {
	if len(b) < packedHead {
		return 0, false
	}
	low, high := packedMask(b)
	return binary.LittleEndian.Uint32(b), len(b) == packedHead+8*(bits.OnesCount64(low)+bits.OnesCount64(high))
}

func packedMask(b []byte) (low, high uint64) {
	return binary.LittleEndian.Uint64(b[4:]), binary.LittleEndian.Uint64(b[12:])
}

// unpack makes r the record of the key that was packed into b, which is whole.
func unpack(b []byte, k Key, r *Record) {
	*r = Record{}
	words := r.words()
	low, high := packedMask(b)
	b = b[packedHead:]
	for half, mask := range [...]uint64{low, high} {
		for ; mask != 0; mask &= mask - 1 {
			words[half*64+bits.TrailingZeros64(mask)] = binary.LittleEndian.Uint64(b)
			b = b[8:]
		}
	}
	r.Key = k
}
