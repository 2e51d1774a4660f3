package identity

import (
	"encoding/binary"

	"github.com/dchest/siphash"

	"github.com/wonted-project/wonted/scoring/profile"
)

// keyer turns values into keyed 128-bit hashes. Every kind has a SipHash key of
// its own, derived from the Secret: the same value under two kinds has nothing
// in common, no two inputs need a separator, and whoever sees keys can neither
// guess values from a dictionary nor make two that collide.
type keyer struct {
	kinds [profile.KindCount]sipKey
	agent sipKey // devices named by user agent, so that none can pose as a JA4
}

type sipKey struct{ k0, k1 uint64 }

func newKeyer(s Secret) keyer {
	var k keyer
	for kind := range k.kinds {
		k.kinds[kind] = newSipKey(s.derive("kind", byte(kind)))
	}
	k.agent = newSipKey(s.derive("user agent", 0))
	return k
}

func newSipKey(b [32]byte) sipKey {
	return sipKey{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:16])}
}

func (k sipKey) hash(value []byte) profile.Key {
	hi, lo := siphash.Hash128(k.k0, k.k1, value)
	return named(profile.Key{Hi: hi, Lo: lo})
}

// named keeps a hash off the zero Key, which is nobody.
func named(k profile.Key) profile.Key {
	if k == (profile.Key{}) {
		k.Lo = 1
	}
	return k
}
