package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
)

// Secret keys the hashes that stand for identities. Replicas that share
// profiles share it. It never prints itself.
type Secret [32]byte

// NewSecret is a random Secret, for a process that was given none: its profiles
// mean nothing to another process.
func NewSecret() Secret {
	var s Secret
	rand.Read(s[:]) // never fails: the runtime ends the process instead
	return s
}

// LoadSecret reads the Secret from a file of exactly 32 bytes.
func LoadSecret(path string) (Secret, error) {
	const hint = "make one with: head -c 32 /dev/urandom > FILE"
	b, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, fmt.Errorf("identity key: %w; %s", err, hint)
	}
	if len(b) != len(Secret{}) {
		return Secret{}, fmt.Errorf("identity key %s: %d bytes where 32 random ones are needed (raw, not hex, no newline); %s", path, len(b), hint)
	}
	s := Secret(b)
	// A file that was truncated to size, not filled, would make every
	// installation's hashes the same.
	if s == (Secret{}) {
		return Secret{}, fmt.Errorf("identity key %s: all bytes are zero; %s", path, hint)
	}
	return s, nil
}

// ID names the Secret without giving it away: 16 hex digits. Snapshots carry
// it, so that one made under another key is refused.
func (s Secret) ID() string {
	sum := s.derive("id", 0)
	return hex.EncodeToString(sum[:8])
}

// Recording is the key under which a recording hashes what it must not show.
func (s Secret) Recording() [32]byte { return s.derive("recording", 0) }

// Hide hashes what may be a secret, for an audit trail: 16 hex digits by which
// two of the same are known again.
func (s Secret) Hide(value string) string {
	key := s.derive("audit", 0)
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(value))
	return "hashed-" + hex.EncodeToString(mac.Sum(nil)[:8])
}

// String is safe to log.
func (s Secret) String() string { return "secret " + s.ID() }

// GoString is safe to log, too.
func (s Secret) GoString() string { return s.String() }

// derive makes an independent key for one purpose.
func (s Secret) derive(purpose string, n byte) [32]byte {
	b := append(s[:len(s):len(s)], "wonted identity 1 "...)
	b = append(b, purpose...)
	return sha256.Sum256(append(b, n))
}
