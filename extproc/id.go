package extproc

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"github.com/wonted-project/wonted/scoring"
)

// An exchange id must be random and not to be guessed: whoever knows one could
// close somebody else's exchange. ChaCha8, seeded by the system, is a stream
// cipher; it costs no system call an exchange, and a pool costs no lock.
var generators = sync.Pool{New: func() any {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	return rand.NewChaCha8(seed)
}}

func newID() (id scoring.ID) {
	g := generators.Get().(*rand.ChaCha8)
	binary.LittleEndian.PutUint64(id[:8], g.Uint64())
	binary.LittleEndian.PutUint64(id[8:], g.Uint64())
	generators.Put(g)
	return id
}
