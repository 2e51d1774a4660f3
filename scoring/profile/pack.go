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

// pack returns the packed record, which lies in buf.
func pack(buf *[packedMax]byte, position uint32, r *Record) []byte {
	var mask [recordWords / 64]uint64
	n := packedHead
	for i, w := range r.words() {
		if i < keyWords {
			continue
		}
		// Every word is written, and stays if it is not 0: without a branch,
		// which would be guessed wrong as often as not.
		binary.LittleEndian.PutUint64(buf[n:], w)
		filled := (w | -w) >> 63
		mask[i/64] |= filled << (i % 64)
		n += 8 * int(filled)
	}
	binary.LittleEndian.PutUint32(buf[:], position)
	binary.LittleEndian.PutUint64(buf[4:], mask[0])
	binary.LittleEndian.PutUint64(buf[12:], mask[1])
	return buf[:n]
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
