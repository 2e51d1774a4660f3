package signin

import (
	"bytes"
	"strings"

	"github.com/wonted-project/wonted/scoring"
)

// Table knows the sign-in routes, or finds them. Any number of goroutines may
// use it.
type Table struct {
	rules  []rule
	places *places // nil: the routes are declared
}

// New makes a Table.
func New(config Config) (*Table, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	t := &Table{}
	for _, c := range config {
		r, err := c.compile()
		if err != nil {
			return nil, err
		}
		t.rules = append(t.rules, r)
	}
	if len(t.rules) == 0 {
		t.places = new(places)
	}
	return t, nil
}

// Look is what it takes to find out who is to be signed in.
type Look uint8

// The looks.
const (
	Nothing Look = iota // nobody is
	Headers             // Read needs no body
	Body                // Read needs the body
)

// Look says whether a request is to be Read. Its Route is set. It allocates
// nothing, and what is not sent by POST leaves it at once where no other method
// is declared.
func (t *Table) Look(ex *scoring.Exchange) Look {
	if t.places == nil {
		r := t.rule(ex)
		switch {
		case r == nil:
			return Nothing
		case r.header != "" || !readable(ex):
			return Headers
		}
		return Body
	}
	if string(ex.Method) != "POST" {
		return Nothing
	}
	p := t.places.find(ex.Route.ID)
	switch {
	case p.confirmed():
		if !readable(ex) {
			return Headers
		}
		return Body
	case !readable(ex) || ex.RequestBytes == 0:
		return Nothing
	case p == nil && !wordy(ex.Path), p != nil && !p.candidate():
		return Nothing
	case p != nil && !p.sampled():
		return Nothing
	}
	return Body
}

// Read looks at a request that Look wants to be read, once; body is nil where
// Look has said Headers. It says whether the request is an attempt to sign in,
// sets ex.SignIn.Success if it is, and returns the user's name, for the caller
// to hash. The name is nil where it could not be read: such an attempt is by
// nobody who has tried before.
func (t *Table) Read(ex *scoring.Exchange, body []byte) (name []byte, attempt bool) {
	var f finder
	if t.places != nil {
		p := t.places.find(ex.Route.ID)
		confirmed := p.confirmed()
		if f.read(body); f.password && len(f.usual) > 0 {
			p.note(true)
			ex.SignIn.Success = defaultSuccess
			return f.found(), true
		}
		if confirmed && (!readable(ex) || len(body) > MaxBody) {
			ex.SignIn.Success = defaultSuccess
			return nil, true
		}
		p.note(false)
		return nil, false
	}
	r := t.rule(ex)
	if r == nil {
		return nil, false
	}
	f.field = r.field
	f.read(body)
	if r.header != "" && len(f.usual) == 0 { // a recording names users in bodies alone
		f.name = append(f.name, header(ex, r.header)...)
	}
	ex.SignIn.Success = r.success
	switch name = f.found(); {
	case len(name) > 0:
		return name, true
	case r.header == "" && (!readable(ex) || len(body) > MaxBody):
		return nil, true
	}
	return nil, false
}

// Answered learns what a route answers.
func (t *Table) Answered(ex *scoring.Exchange) {
	if t.places == nil || string(ex.Method) != "POST" || ex.Status == 0 {
		return
	}
	p := t.places.find(ex.Route.ID)
	if p == nil {
		if !ex.Route.Known {
			return
		}
		if p = t.places.add(ex.Route.ID, wordy(ex.Path)); p == nil {
			return
		}
	}
	p.answered(ex.Status == 401 || ex.Status == 403)
}

// readable says whether the body is of a form that can be read.
func readable(ex *scoring.Exchange) bool {
	if e := bytes.TrimSpace(header(ex, "content-encoding")); len(e) > 0 && !bytes.EqualFold(e, []byte("identity")) {
		return false
	}
	media, _, _ := bytes.Cut(header(ex, "content-type"), []byte(";"))
	switch media = bytes.TrimSpace(media); {
	case len(media) == 0,
		bytes.EqualFold(media, []byte("application/json")),
		bytes.EqualFold(media, []byte("application/x-www-form-urlencoded")),
		bytes.EqualFold(media, []byte("text/plain")), // what browsers send across origins without asking first
		bytes.EqualFold(media, []byte("text/json")):
		return true
	}
	const json = "+json"
	return len(media) > len(json) && bytes.EqualFold(media[len(media)-len(json):], []byte(json))
}

// header is the value of the first line of that name.
func header(ex *scoring.Exchange, name string) []byte {
	for i := range ex.Headers {
		if string(ex.Headers[i].Name) == name {
			return ex.Headers[i].Value
		}
	}
	return nil
}

// rule is the one that declares the request's route, nil where none does.
func (t *Table) rule(ex *scoring.Exchange) *rule {
	for i := range t.rules {
		if r := &t.rules[i]; string(ex.Method) == r.method && r.matches(ex.Path) {
			return r
		}
	}
	return nil
}

// matches compares a path, without its query, segment by segment. Empty ones do
// not count, and letters match in either case: many a server routes so, and
// //login must not be a way around.
func (r *rule) matches(path []byte) bool {
	if i := bytes.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	n := 0
	for len(path) > 0 {
		var s []byte
		s, path, _ = bytes.Cut(path, []byte("/"))
		if len(s) == 0 {
			continue
		}
		if n == len(r.segments) || r.segments[n] != "" && !equalFold(s, r.segments[n]) {
			return false
		}
		n++
	}
	return n == len(r.segments)
}

func equalFold(s []byte, t string) bool { return len(s) == len(t) && strings.EqualFold(string(s), t) }
