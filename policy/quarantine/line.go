package quarantine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// A journal is lines of text:
//
//	crc SP json LF
//
// crc is the CRC-32C (Castagnoli) of the json in eight hex digits. The first line
// is the head; each other is a change, and of several about one entity the last
// counts. A line that is cut off or damaged costs itself alone.

// The kinds of lines.
const (
	opHead    = "wonted quarantine 1" // format and version
	opImpose  = "impose"
	opRelease = "release"
)

// line is one line. Its JSON field names are the file's format.
type line struct {
	Op     string        `json:"op"`
	KeyID  string        `json:"key_id,omitempty"` // of the head: under which key entities are hashed
	Writer string        `json:"w,omitempty"`      // the process that wrote it
	Block  *policy.Block `json:"block,omitempty"`  // of impose
	ID     string        `json:"id,omitempty"`     // of release, as all below
	Hash   string        `json:"hash,omitempty"`
	By     string        `json:"by,omitempty"`
	At     time.Time     `json:"at,omitzero"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (l *line) append(to []byte) []byte { return frame(to, l) }

// frame appends a line of v.
func frame(to []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("quarantine: " + err.Error()) // strings, numbers and times marshal
	}
	to = fmt.Appendf(to, "%08x ", crc32.Checksum(text, castagnoli))
	return append(append(to, text...), '\n')
}

// unframe is the JSON of a line without its LF.
func unframe(text []byte) (json []byte, ok bool) {
	sum, rest, ok := bytes.Cut(text, []byte(" "))
	crc, err := strconv.ParseUint(string(sum), 16, 32)
	return rest, ok && err == nil && len(sum) == 8 && uint32(crc) == crc32.Checksum(rest, castagnoli)
}

var errLine = errors.New("not a line as it was written")

// parse reads a line without its LF.
func parse(text []byte) (*line, error) {
	rest, ok := unframe(text)
	l := &line{}
	if !ok || json.Unmarshal(rest, l) != nil {
		return nil, errLine
	}
	switch l.Op {
	case opHead:
		return l, nil
	case opImpose:
		if l.Block != nil && revive(l.Block) {
			return l, nil
		}
	case opRelease:
		if _, ok := parseHash(l.Hash); ok {
			return l, nil
		}
	}
	return nil, errLine
}

// revive fills in what a file does not hold, and says whether the rest is what
// can have been written.
func revive(b *policy.Block) (ok bool) {
	b.Key, ok = parseHash(b.Hash)
	kind, known := profile.ParseKind(b.Entity)
	placed := kind == profile.KindAddress || kind == profile.KindNetwork
	return ok && known && b.ID == b.Hash[:16] && b.Rung > 0 && b.Rung < 1<<20 &&
		b.Until.After(b.Since) && b.Until.Sub(b.Since) <= 2*MaxTTL && (!placed || b.Prefix.IsValid() && b.Prefix == b.Prefix.Masked())
}

// parseHash reads a hash as it is written, in lower case.
func parseHash(s string) (k profile.Key, ok bool) {
	k, err := policy.ParseHash(s)
	return k, err == nil && policy.Hash(k) == s
}
