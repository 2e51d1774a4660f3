package profile

import (
	"testing"

	"pgregory.net/rapid"
)

// usual makes rec look like an established caller's of a week's work: about half
// of its words hold something.
func usual(rec *Record) {
	rec.Requests, rec.Accepted, rec.Sessions = 900, 880, 20
	words := rec.words()
	for i := 11; i < recordWords; i += 2 {
		words[i] |= uint64(i)<<32 | 1
	}
}

// Whatever a record holds comes back as it was, with the key that it is kept under.
func TestPackUnpack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in, out Record
		words := in.words()
		for range rapid.IntRange(0, 200).Draw(t, "writes") {
			words[rapid.IntRange(0, recordWords-1).Draw(t, "word")] = rapid.Uint64().Draw(t, "value")
		}
		out = Record{Header: Header{Requests: 7}, Name: [NameSize]byte{1}}
		position := rapid.Uint32().Draw(t, "position")
		var buf [packedMax]byte
		b := pack(&buf, position, &in)
		got, ok := packedPosition(b)
		if !ok || got != position || len(b) > packedMax {
			t.Fatalf("%d bytes at %d (%v), want position %d", len(b), got, ok, position)
		}
		if unpack(b, in.Key, &out); *out.bytes() != *in.bytes() {
			t.Fatalf("unpacked %+v, want %+v", out, in)
		}
		if cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut"); true {
			if _, ok := packedPosition(b[:cut]); ok {
				t.Fatalf("%d of %d bytes pass as whole", cut, len(b))
			}
		}
	})
}
