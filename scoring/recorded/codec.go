package recorded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Encoder writes exchanges as JSONL.
type Encoder struct{ json *json.Encoder }

// NewEncoder writes to w, one Write a line.
func NewEncoder(w io.Writer) *Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &Encoder{e}
}

// Encode writes one exchange. V may be left 0.
func (e *Encoder) Encode(r *Exchange) error {
	line := *r
	if line.V == 0 {
		line.V = Version
	}
	if err := line.check(); err != nil {
		return fmt.Errorf("recorded exchange: %w", err)
	}
	return e.json.Encode(&line)
}

// parseWonted reads one line of JSONL. Fields it does not know are left alone:
// a later minor addition must not make a recording unreadable.
func parseWonted(line []byte) (*Exchange, error) {
	if line[0] != '{' {
		return nil, errNoObject
	}
	r, ok := quickWonted(line)
	if !ok {
		r = new(Exchange)
		if err := json.Unmarshal(line, r); err != nil {
			return nil, plain(err)
		}
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

var errNoObject = errors.New("no JSON object")

// plain says in an operator's words what encoding/json says in Go's.
func plain(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return fmt.Errorf("%q is a JSON %s, which is not what it should be (%s)", e.Field, e.Value, e.Type)
	}
	broken := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		if broken = e.Error() == "unexpected end of JSON input"; !broken {
			return fmt.Errorf("not JSON: %v at byte %d", e, e.Offset)
		}
	}
	if broken {
		return errors.New("not JSON: it breaks off")
	}
	return err
}
