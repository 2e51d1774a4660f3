package rego

import (
	"encoding/binary"
	"net"
)

// keying writes the key of an exchange: all that its decision can depend on.
// Exchanges of the same key get the same decision.
//
// A key is a sequence of parts that are each read back in one way only, so that
// no two sequences look alike: for every probe a 0 where the value is absent,
// else its own part; then the pairs.
type keying struct {
	probes []*probe
	pairs  []pair
}

// maxKey bounds a key in bytes. An exchange whose key is longer (a client sends
// long words where few are expected) is not remembered.
const maxKey = 512

// append writes the key into v.key. !ok: it is too long.
func (k *keying) append(v *view) (key []byte, ok bool) {
	key = v.key[:0]
	for _, p := range k.probes {
		if key = p.append(key, v); len(key) > maxKey {
			return nil, false
		}
	}
	for i := range k.pairs {
		key = append(key, k.pairs[i].of(v))
	}
	v.key = key
	return key, len(key) <= maxKey
}

// probe is what a key says of one value of input: the value itself, or how its
// atoms come out; at the least, whether it is there.
type probe struct {
	source source
	absent func(*view) bool // of the object that it is in; nil: that is always there
	whole  bool
	cuts   []cut
	match  []match
	nets   []*net.IPNet // of a place
}

// there begins the part of a value that is there.
const there = 1

func (p *probe) append(key []byte, v *view) []byte {
	if p.absent != nil && p.absent(v) {
		return append(key, 0)
	}
	switch source := p.source.(type) {
	case flag:
		return append(key, there, truth(source(v)))
	case count:
		n, ok := source(v)
		return p.number(key, uint64(n), rankInt(n), ok)
	case decimal:
		f := source(v)
		return p.number(key, 0, rankFloat(f), finite(f))
	case text:
		s, ok := source(v)
		if !ok {
			return append(key, 0)
		}
		return p.string(key, s)
	case place:
		a := source(v)
		if !a.IsValid() {
			return append(key, 0)
		}
		if key = append(key, there); len(p.match) > 0 {
			v.scratch = a.AppendTo(v.scratch[:0])
			key = p.matches(key, v.scratch)
		}
		for _, n := range p.nets {
			key = append(key, inside(n, a))
		}
	case word:
		v.scratch = append(v.scratch[:0], source(v)...)
		return p.string(key, v.scratch)
	case words:
		all := source(v)
		key = binary.AppendUvarint(key, uint64(len(all)))
		for _, s := range all {
			key = append(binary.AppendUvarint(key, uint64(len(s))), s...)
		}
	}
	return key
}

func (p *probe) number(key []byte, whole, rank uint64, ok bool) []byte {
	if !ok {
		return append(key, 0)
	}
	key = append(key, there)
	if p.whole {
		return binary.AppendUvarint(key, whole)
	}
	for i := range p.cuts {
		key = append(key, p.cuts[i].of(rank))
	}
	return key
}

func (p *probe) string(key, s []byte) []byte {
	key = append(key, there)
	if p.whole {
		return append(binary.AppendUvarint(key, uint64(len(s))), s...)
	}
	return p.matches(key, s)
}

func (p *probe) matches(key, s []byte) []byte {
	for i := range p.match {
		key = append(key, p.match[i].of(s))
	}
	return key
}

// pair is a comparison of two numbers of input, as of a detector's score with
// the threshold. The numbers are finite decimals, which OPA writes with the
// fewest digits that tell them apart, and so orders as Go does.
type pair struct{ a, b decimal }

func (p *pair) of(v *view) byte {
	switch a, b := p.a(v), p.b(v); {
	case a < b:
		return below
	case a == b:
		return equal
	case a > b:
		return above
	}
	return 0 // one is absent; the probes say which
}
