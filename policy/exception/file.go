package exception

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// file is what data_dir holds.
type file struct {
	Version    int      `json:"v"`
	Exceptions []Listed `json:"exceptions"`
}

// Encode writes the list, for Decode.
func (l *List) Encode(now time.Time) []byte {
	text, err := json.MarshalIndent(file{1, l.All(now)}, "", "\t")
	if err != nil {
		panic(err) // strings, numbers and times of four-digit years
	}
	return append(text, '\n')
}

// Decode takes up what Encode wrote. Where that is damaged the list stays as it
// is.
func (l *List) Decode(text []byte) error {
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return fmt.Errorf("exceptions: %w", err)
	}
	if f.Version != 1 {
		return fmt.Errorf("exceptions: version %d is not known", f.Version)
	}
	all := make([]*entry, 0, len(f.Exceptions))
	for i, x := range f.Exceptions {
		m, err := x.compile()
		if x.ID == "" {
			err = errors.New("it has no id")
		}
		if err != nil {
			return fmt.Errorf("exception %d (%q): it cannot be read: %w", i+1, x.ID, err)
		}
		e := &entry{Exception: x.Exception, matcher: m}
		e.hits.Store(x.Hits)
		if x.LastHit != nil {
			e.last.Store(x.LastHit.UnixNano())
		}
		all = append(all, e)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Store(&all)
	return nil
}
