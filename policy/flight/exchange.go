package flight

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// Exchange is what is kept of an exchange.
type Exchange struct {
	Route   uint32 // route.Match.ID; 0: it was refused before anybody looked
	Object  uint32 // the low half of the hash of what its path names; 0: nothing
	seconds uint32 // of its request, since the epoch
	bytes   uint32 // of its response, plus one; 0: not known
	records uint32 // the same
	tag     uint32 // of who it was, where callers share a ring
	millis  uint16
	Status  uint16 // that came from the upstream; 0: none
	score   uint8  // in twentieths
	Action  policy.Action
	Mode    policy.Mode
	End     scoring.End
}

// Size is what an Exchange takes, here and encoded.
const Size = 32

func taken(c *policy.Case, end scoring.End) Exchange {
	ex, v := &c.Exchange, c.Verdict()
	ms := max(ex.Time.UnixMilli(), 0)
	return Exchange{
		Route:   ex.Route.ID,
		Object:  uint32(ex.Route.Object),
		seconds: uint32(ms / 1000),
		millis:  uint16(ms % 1000),
		bytes:   squeeze(ex.ResponseBytes),
		records: squeeze(ex.Records),
		Status:  uint16(min(max(ex.Status, 0), math.MaxUint16)),
		score:   uint8(min(max(ex.Assessment.Score, 0), 12) * 20),
		Action:  v.Action,
		Mode:    v.Mode,
		End:     end,
	}
}

func squeeze(n int64) uint32 { return uint32(min(max(n, -1), math.MaxUint32-1) + 1) }

// Time is when its request came.
func (e *Exchange) Time() time.Time {
	return time.Unix(int64(e.seconds), int64(e.millis)*int64(time.Millisecond)).UTC()
}

// Bytes is the size of its response, at most 4 GiB; -1: not known.
func (e *Exchange) Bytes() int64 { return int64(e.bytes) - 1 }

// Records is how many it held; -1: not known.
func (e *Exchange) Records() int64 { return int64(e.records) - 1 }

// Score is -log10 p, 0 to 12, in steps of 0.05.
func (e *Exchange) Score() float64 { return float64(e.score) / 20 }

// Encode writes exchanges one after the other, Size bytes each, little-endian in
// the order of the fields.
func Encode(all []Exchange) []byte {
	b := make([]byte, 0, len(all)*Size)
	for i := range all {
		e := &all[i]
		for _, v := range [...]uint32{e.Route, e.Object, e.seconds, e.bytes, e.records, e.tag} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		b = binary.LittleEndian.AppendUint16(b, e.millis)
		b = binary.LittleEndian.AppendUint16(b, e.Status)
		b = append(b, e.score, byte(e.Action), byte(e.Mode), byte(e.End))
	}
	return b
}

// Decode reads what Encode has written, as far as it is whole.
func Decode(b []byte) []Exchange {
	all := make([]Exchange, len(b)/Size)
	for i := range all {
		p, word := b[i*Size:][:Size], binary.LittleEndian.Uint32
		all[i] = Exchange{
			Route: word(p), Object: word(p[4:]), seconds: word(p[8:]), bytes: word(p[12:]), records: word(p[16:]), tag: word(p[20:]),
			millis: binary.LittleEndian.Uint16(p[24:]), Status: binary.LittleEndian.Uint16(p[26:]),
			score: p[28], Action: policy.Action(p[29]), Mode: policy.Mode(p[30]), End: scoring.End(p[31]),
		}
	}
	return all
}
