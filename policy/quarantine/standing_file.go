package quarantine

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// StandingFile is its name in data_dir.
const StandingFile = "standing"

// savedStanding is the file: a line as of the journal, checksum and JSON.
type savedStanding struct {
	Format string       `json:"format"`
	KeyID  string       `json:"key_id"`
	Places []savedPlace `json:"places"`
}

type savedPlace struct {
	Kind   int          `json:"kind"`
	Hash   string       `json:"hash"`
	Prefix netip.Prefix `json:"prefix,omitzero"`
	Who    []uint32     `json:"who"`
	Day    []uint16     `json:"day"`
}

const standingFormat = "wonted standing 1"

// EncodeStanding is what is known of who uses what, for DecodeStanding after a
// restart. What nobody has used for a week is left out.
func (t *Table) EncodeStanding(keyID string, now time.Time) []byte {
	saved := savedStanding{Format: standingFormat, KeyID: keyID, Places: []savedPlace{}}
	t.standing.each(func(kind int, p *place) {
		s := savedPlace{Kind: kind, Hash: policy.Hash(p.key), Prefix: p.prefix}
		for i := range p.n {
			if lately(p.day[i], today(now)) {
				s.Who, s.Day = append(s.Who, p.who[i]), append(s.Day, p.day[i])
			}
		}
		if len(s.Who) > 0 {
			saved.Places = append(saved.Places, s)
		}
	})
	return frame(nil, &saved)
}

// DecodeStanding takes up what EncodeStanding has written under the same key. An
// error means that it is something else, and nothing was taken up.
func (t *Table) DecodeStanding(text []byte, keyID string) error {
	var saved savedStanding
	rest, ok := unframe(bytes.TrimSuffix(text, []byte("\n")))
	if !ok || json.Unmarshal(rest, &saved) != nil {
		return errTorn
	}
	if saved.Format != standingFormat || saved.KeyID != keyID {
		return errForeign
	}
	for _, s := range saved.Places {
		key, ok := parseHash(s.Hash)
		if !ok || s.Kind < 0 || s.Kind >= len(t.standing.kinds) || len(s.Who) != len(s.Day) {
			continue
		}
		k := &t.standing.kinds[s.Kind]
		k.mu.Lock()
		p := k.of(key, s.Prefix)
		for i := range s.Who {
			p.add(s.Who[i], s.Day[i])
		}
		k.mu.Unlock()
	}
	return nil
}

// unusable says why a file cannot be used, in a word (see profile.SetAside) and in
// words.
type unusable struct{ reason, text string }

func (e *unusable) Error() string  { return e.text }
func (e *unusable) Reason() string { return e.reason }

var (
	errTorn    = &unusable{"torn", "it is not what was written"}
	errForeign = &unusable{"foreign", "it is of another version or key"}
)

// Forget erases an entity from what is known of who uses what, and from what has
// ended. A block that holds stays until it ends or is released.
func (t *Table) Forget(key profile.Key) {
	t.standing.forget(key)
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.index.Load().find(key); r != nil && r.ended {
		t.index.Store(t.index.Load().only(func(o *record) bool { return o.Key != key }))
	}
	if t.journal != nil {
		t.journal.broken = true // it is to be written anew, without
	}
}

func (s *Standing) forget(key profile.Key) {
	for i := range s.noted {
		s.noted[i].Store(0)
	}
	for i := range s.kinds {
		k := &s.kinds[i]
		k.mu.Lock()
		for b := range k.buckets {
			for j, p := range k.buckets[b].places {
				switch {
				case p == nil:
				case p.key == key:
					k.buckets[b].places[j] = nil
				default:
					p.remove(short(key))
				}
			}
		}
		k.mu.Unlock()
	}
}

func (p *place) remove(who uint32) {
	for i := range p.n {
		if p.who[i] == who {
			p.n--
			p.who[i], p.day[i] = p.who[p.n], p.day[p.n]
			return
		}
	}
}
