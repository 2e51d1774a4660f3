package window

import (
	"math"
	"math/bits"
)

// bloomFull is how many set bits make a filter rotate: there it answers "seen"
// for (96/256)^3 = 5 % of what it has not seen, after about 40 objects.
const bloomFull = 96

// Has says whether h was probably added since the last rotation but one.
func (b *Bloom) Has(h uint64) bool {
	x, y, z := bloomBits(h)
	return has(&b.Current, x) && has(&b.Current, y) && has(&b.Current, z) ||
		has(&b.Previous, x) && has(&b.Previous, y) && has(&b.Previous, z)
}

// Add remembers h and says whether it was probably there. What only the
// previous filter knows is added to the current one, so that what is in use
// outlives a rotation.
func (b *Bloom) Add(h uint64) (seen bool) {
	seen = b.Has(h)
	x, y, z := bloomBits(h)
	set(&b.Current, x)
	set(&b.Current, y)
	set(&b.Current, z)
	n := 0
	for _, w := range b.Current {
		n += bits.OnesCount64(w)
	}
	if n >= bloomFull {
		b.Previous, b.Current = b.Current, [4]uint64{}
	}
	return seen
}

// Estimate is about how many distinct values both filters hold, by how many bits
// are set: -256/3 ln(clear/256).
func (b *Bloom) Estimate() float64 {
	set := 0
	for i := range b.Current {
		set += bits.OnesCount64(b.Current[i] | b.Previous[i])
	}
	return -256.0 / 3 * math.Log(max(256-float64(set), 0.5)/256)
}

// bloomBits takes the three bit numbers from a mixed hash, so that weak
// hashes (a counter, 32 bits of one) do as well.
func bloomBits(h uint64) (x, y, z uint8) {
	h = mix(h)
	return uint8(h), uint8(h >> 8), uint8(h >> 16)
}

func has(f *[4]uint64, bit uint8) bool { return f[bit>>6]>>(bit&63)&1 == 1 }
func set(f *[4]uint64, bit uint8)      { f[bit>>6] |= 1 << (bit & 63) }

// mix is the finaliser of splitmix64: every bit of h moves half of the result.
func mix(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xBF58476D1CE4E5B9
	h ^= h >> 27
	h *= 0x94D049BB133111EB
	return h ^ h>>31
}
