package identity

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wonted-project/wonted/scoring"
)

// A google.protobuf.Struct on the wire, as far as it is read here:
//
//	Struct { map<string, Value> fields = 1; }      entry: key = 1, value = 2
//	Value  { oneof: null 1, number 2 (fixed64), string 3, bool 4, struct 5, list 6 }
//
// The walk looks at the bytes where they lie: decoding a token's claims into
// maps would cost more than the rest of the decision.

// value is a Value that can name somebody: a string or a number. Booleans,
// lists and nulls name nobody.
type value struct {
	kind   protowire.Number // field of the oneof; 0: none
	bytes  []byte           // of a string or a struct
	number float64
}

// text is the value as a header would carry it. Numbers are written into room.
func (v *value) text(room *[]byte) []byte {
	switch v.kind {
	case 3:
		return v.bytes
	case 2:
		if math.IsNaN(v.number) || math.IsInf(v.number, 0) {
			return nil
		}
		start := len(*room)
		*room = strconv.AppendFloat(*room, v.number, 'f', -1, 64)
		return (*room)[start:len(*room):len(*room)]
	}
	return nil
}

// claims adds a claim of the verified tokens. The namespace holds a struct a
// provider, under a name that the operator chose (payload_in_metadata), so each
// is searched. Path may also begin with that name. Several verified tokens that
// disagree are no reason to fall back on something a client can write: the
// provider whose name sorts first decides (the wire has no order).
func claims(f *found, ex *scoring.Exchange, path string, k sipKey) {
	for i := range ex.Metadata {
		m := &ex.Metadata[i]
		if string(m.Name) != jwtNamespace {
			continue
		}
		var v, best value
		var provider []byte
		for w := (walk{rest: m.Struct}); w.next(); {
			if best.kind != 0 && bytes.Compare(w.key, provider) > 0 {
				continue
			}
			claims := parseValue(w.value)
			if claims.kind == 5 && lookup(claims.bytes, path, &v) && (v.kind == 2 || v.kind == 3) {
				best, provider = v, w.key
			}
		}
		if best.kind == 0 {
			lookup(m.Struct, path, &best)
		}
		f.add(best.text(&ex.Names), k)
	}
}

// maxPath bounds how deep a dotted path is followed.
const maxPath = 16

// lookup finds a path in an encoded Struct. The whole path is tried as one key
// first, since claims are often named by URL; then its first part as a struct.
func lookup(b []byte, path string, out *value) bool {
	for range maxPath {
		if get(b, path, out) {
			return true
		}
		first, rest, dotted := strings.Cut(path, ".")
		if !dotted || !get(b, first, out) || out.kind != 5 {
			break
		}
		b, path = out.bytes, rest
	}
	*out = value{}
	return false
}

// get finds one key. Where the wire repeats it the last one counts, as
// everywhere in protobuf.
func get(b []byte, key string, out *value) (ok bool) {
	var found []byte
	for w := (walk{rest: b}); w.next(); {
		if string(w.key) == key {
			found, ok = w.value, true
		}
	}
	if ok {
		*out = parseValue(found)
	}
	return ok
}

// walk goes through the entries of an encoded Struct. Garbage ends it.
type walk struct {
	rest  []byte
	key   []byte
	value []byte // an encoded Value
}

func (w *walk) next() bool {
	for len(w.rest) > 0 {
		num, typ, body, rest := field(w.rest)
		w.rest = rest
		if num == 1 && typ == protowire.BytesType {
			w.key, w.value = entry(body)
			return true
		}
	}
	return false
}

// entry reads one map entry.
func entry(b []byte) (key, v []byte) {
	for len(b) > 0 {
		num, typ, body, rest := field(b)
		b = rest
		switch {
		case typ != protowire.BytesType:
		case num == 1:
			key = body
		case num == 2:
			v = body
		}
	}
	return key, v
}

// parseValue reads a Value; of a oneof's several members the last counts.
func parseValue(b []byte) (v value) {
	for len(b) > 0 {
		num, typ, body, rest := field(b)
		b = rest
		switch {
		case num == 2 && typ == protowire.Fixed64Type:
			v = value{kind: num, number: math.Float64frombits(binary.LittleEndian.Uint64(body))}
		case (num == 3 || num == 5) && typ == protowire.BytesType:
			v = value{kind: num, bytes: body}
		case num == 1 || num == 4 || num == 6:
			v = value{kind: num}
		}
	}
	return v
}

// field splits the first field off. Body is the content of a length-delimited
// or fixed field. On garbage num is 0 and nothing is left.
func field(b []byte) (num protowire.Number, typ protowire.Type, body, rest []byte) {
	// Nearly all are: a tag and a length of one byte each.
	if len(b) >= 2 && b[0]&^0x78 == byte(protowire.BytesType) && b[0] >= 8 && int(b[1]) <= min(len(b)-2, 0x7f) {
		end := 2 + int(b[1])
		return protowire.Number(b[0] >> 3), protowire.BytesType, b[2:end], b[end:]
	}
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return 0, 0, nil, nil
	}
	b = b[n:]
	if typ == protowire.BytesType {
		body, n = protowire.ConsumeBytes(b)
	} else if n = protowire.ConsumeFieldValue(num, typ, b); n >= 0 {
		body = b[:n]
	}
	if n < 0 {
		return 0, 0, nil, nil
	}
	return num, typ, body, b[n:]
}
