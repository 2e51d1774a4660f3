package scoring

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"github.com/zeebo/xxh3"
)

// Norms are kept as numbers in the order of these structs, little-endian, after
// a magic and a version and before the XXH3-64 of all that. Nobody can be told
// from them: they are histograms.
type normsState struct {
	Day     uint32
	All     [Cohorts]norm
	Beliefs [Cohorts]belief
}

const (
	normsMagic   = "wonted\x00N"
	normsVersion = 1
)

// unfit is what is not what Norms returned.
type unfit struct{ reason, text string }

func (e *unfit) Error() string { return e.text }

// Reason is one word, for the name under which the file is set aside.
func (e *unfit) Reason() string { return e.reason }

// Norms are what cohorts have in common, for SetNorms after a restart: about 120 KB.
func (s *Scorer) Norms() []byte {
	n := s.norms
	n.mu.Lock()
	state := &normsState{Day: n.day, All: n.all, Beliefs: n.said.Load().beliefs}
	n.mu.Unlock()
	b := binary.LittleEndian.AppendUint32([]byte(normsMagic), normsVersion)
	b, err := binary.Append(b, binary.LittleEndian, state)
	if err != nil {
		panic(err) // a field has no fixed size
	}
	return binary.LittleEndian.AppendUint64(b, xxh3.Hash(b))
}

// SetNorms takes up what Norms returned, before the first exchange. Every error has
// a method Reason: the bytes are torn, foreign, or of another version; the norms
// are as they were then.
func (s *Scorer) SetNorms(b []byte) error {
	head, state := len(normsMagic)+4, &normsState{}
	switch {
	case len(b) >= len(normsMagic) && !bytes.HasPrefix(b, []byte(normsMagic)):
		return &unfit{"foreign", "these are no norms of wonted's"}
	case len(b) < head+8:
		return &unfit{"torn", "it breaks off"}
	case binary.LittleEndian.Uint32(b[len(normsMagic):]) != normsVersion:
		return &unfit{"version", fmt.Sprintf("it has another format, and this wonted reads %d", normsVersion)}
	case binary.LittleEndian.Uint64(b[len(b)-8:]) != xxh3.Hash(b[:len(b)-8]):
		return &unfit{"torn", "it is damaged"}
	}
	n, err := binary.Decode(b[head:len(b)-8], binary.LittleEndian, state)
	if err != nil || n != len(b)-8-head || !numbers(reflect.ValueOf(state).Elem()) {
		return &unfit{"torn", "it is whole and makes no sense"}
	}
	s.norms.set(state)
	return nil
}

func (n *norms) set(state *normsState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.day, n.all = state.Day, state.All
	said := &table{beliefs: state.Beliefs}
	for c := range said.priors {
		said.priors[c] = said.beliefs[c].priors()
		said.drift[c] = drifts(&n.all[c].Last, &n.all[CohortNew].Last)
	}
	n.said.Store(said)
}

// numbers says whether all floats are numbers of a size that can be reckoned with.
func numbers(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !numbers(v.Field(i)) {
				return false
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			if !numbers(v.Index(i)) {
				return false
			}
		}
	case reflect.Float32, reflect.Float64:
		return math.Abs(v.Float()) <= 1e12
	}
	return true
}
