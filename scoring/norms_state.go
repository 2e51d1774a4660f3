package scoring

import (
	"bytes"
	"encoding/binary"
	"errors"
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

// ErrNorms is wrapped by what SetNorms refuses.
var ErrNorms = errors.New("these are no norms of cohorts")

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

// SetNorms takes up what Norms returned, before the first exchange. What is not
// whole, of another version or no number leaves the norms as they were.
func (s *Scorer) SetNorms(b []byte) error {
	head, state := len(normsMagic)+4, &normsState{}
	switch {
	case len(b) != head+binary.Size(state)+8 || !bytes.HasPrefix(b, []byte(normsMagic)):
		return fmt.Errorf("%w: %d bytes", ErrNorms, len(b))
	case binary.LittleEndian.Uint32(b[len(normsMagic):]) != normsVersion:
		return fmt.Errorf("%w: of another version", ErrNorms)
	case binary.LittleEndian.Uint64(b[len(b)-8:]) != xxh3.Hash(b[:len(b)-8]):
		return fmt.Errorf("%w: torn", ErrNorms)
	}
	if _, err := binary.Decode(b[head:], binary.LittleEndian, state); err != nil {
		return fmt.Errorf("%w: %w", ErrNorms, err)
	}
	if !numbers(reflect.ValueOf(state).Elem()) {
		return fmt.Errorf("%w: not all of it are numbers", ErrNorms)
	}
	n := s.norms
	n.mu.Lock()
	defer n.mu.Unlock()
	n.day, n.all = state.Day, state.All
	said := &table{beliefs: state.Beliefs}
	for c := range said.priors {
		said.priors[c] = said.beliefs[c].priors()
		said.drift[c] = drifts(&n.all[c].Last, &n.all[CohortNew].Last)
	}
	n.said.Store(said)
	return nil
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
