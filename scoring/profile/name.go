package profile

import "unicode/utf8"

// NameSize is how many bytes of a display name a record keeps.
const NameSize = 24

// cutMark ends a name that was longer.
const cutMark = "…"

// Name is what a record keeps of a display name, zero-padded: all of it, or
// where it is longer as much of it as leaves room for an ellipsis.
type Name [NameSize]byte

// NameOf is what a record keeps of a name.
func NameOf[T string | []byte](name T) (kept Name) {
	if len(name) <= NameSize {
		copy(kept[:], name)
		return kept
	}
	n := NameSize - len(cutMark)
	for n > 0 && !utf8.RuneStart(name[n]) {
		n-- // not in the middle of a character
	}
	copy(kept[:], name[:n])
	copy(kept[n:], cutMark)
	return kept
}

// String is the name without its padding.
func (n *Name) String() string {
	end := len(n)
	for end > 0 && n[end-1] == 0 {
		end--
	}
	return string(n[:end])
}
