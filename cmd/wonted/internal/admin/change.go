package admin

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// UserHeader says which user of the operating system the command runs as. It is
// a claim, for the audit trail alone.
const UserHeader = "wonted-user"

// maxNote bounds each text that a client writes into the audit trail.
const maxNote = 512

type entryKey struct{}

// Note adds to the audit trail whom or what a change is about and why, where
// the handler knows it: a query parameter reason is taken anyway. Neither may be
// a secret.
func Note(r *http.Request, about, reason string) {
	e, ok := r.Context().Value(entryKey{}).(*Entry)
	if !ok {
		return
	}
	if about != "" {
		e.About = noted(about)
	}
	if reason != "" {
		e.Reason = noted(reason)
	}
}

// audited writes a change down before it is made, and how it went. What cannot
// be written down is not done: an attacker who fills the disk must not work
// unseen. But whoever is refused by mistake is let in again all the same.
func (a *API) audited(route Route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := a.entry(r, route)
		if err := a.trail.Put(e); err != nil {
			a.complain(err)
			if !route.undo {
				Refuse(w, http.StatusInsufficientStorage, "nothing was changed: it could not be written into the audit trail: "+err.Error(),
					"make room in data_dir, or make audit.jsonl there writable, and ask again")
				return
			}
		}
		out := &answer{ResponseWriter: w}
		defer func() {
			e.Status = out.status
			if e.Status == 0 { // nothing was written, or the handler panics
				e.Status = http.StatusInternalServerError
			}
			e.Path = a.shown(r, route, e.Status < http.StatusBadRequest || e.About != "")
			a.complain(a.trail.Put(e))
		}()
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), entryKey{}, &e)))
		out.done()
	})
}

func (a *API) entry(r *http.Request, route Route) Entry {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	var id [8]byte
	rand.Read(id[:])
	return Entry{
		Time: a.clock().UTC().Truncate(time.Millisecond), ID: hex.EncodeToString(id[:]),
		Who: callerOf(r).name, User: noted(r.Header.Get(UserHeader)), From: from,
		Method: route.Method, Path: a.shown(r, route, false), Reason: noted(r.URL.Query().Get("reason")),
	}
}

// shown is the path with what stands for {name} hashed, since somebody may write
// an API key there. What is a hash of ours, and was found, is shown.
func (a *API) shown(r *http.Request, route Route, found bool) string {
	parts := strings.Split(route.Path, "/")
	for i, p := range parts {
		name, ok := strings.CutPrefix(p, "{")
		if !ok {
			continue
		}
		value := r.PathValue(strings.TrimRight(name, ".}"))
		if !found || !isHash(value) {
			value = a.hide(value)
		}
		parts[i] = value
	}
	return strings.Join(parts, "/")
}

// isHash: hex digits of a length that wonted writes: ids of 16, identities and
// decisions of 32.
func isHash(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && (len(s) == 16 || len(s) == 32)
}

// noted is one line of text, not too long.
func noted(s string) string {
	if len(s) > maxNote {
		s = s[:maxNote]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
}

// answer remembers the status.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// done: a handler that has returned without a word has said 200.
func (a *answer) done() {
	if a.status == 0 {
		a.status = http.StatusOK
	}
}
