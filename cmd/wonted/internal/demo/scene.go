package demo

import (
	"encoding/json"
	"fmt"
	"io"
)

// scene is one scene as it happened. Its JSON is what `--output json` prints;
// the field names are a contract.
type scene struct {
	Name     string `json:"scene"`
	Title    string `json:"title"`
	Told     bool   `json:"as_told"` // every expectation held
	Observed any    `json:"observed"`

	Expectations []expectation `json:"expectations"`
}

// expectation is one thing that the story says must happen, with what did.
type expectation struct {
	Want     string `json:"want"`
	Held     bool   `json:"held"`
	Observed string `json:"observed"`
}

func (e expectation) String() string { return fmt.Sprintf("%s; observed: %s", e.Want, e.Observed) }

// expect notes whether what the story says did happen.
func (s *scene) expect(held bool, want, observed string, args ...any) {
	s.Expectations = append(s.Expectations, expectation{want, held, fmt.Sprintf(observed, args...)})
}

// failed returns what did not happen as told.
func (s *scene) failed() []expectation {
	var failed []expectation
	for _, e := range s.Expectations {
		if !e.Held {
			failed = append(failed, e)
		}
	}
	return failed
}

// finish closes the scene and, where JSON is wanted, prints it.
func (s *scene) finish(out io.Writer) error {
	s.Told = len(s.failed()) == 0
	if out == nil {
		return nil
	}
	return json.NewEncoder(out).Encode(s)
}

// untold is the error of a story that did not happen as told.
type untold struct{ scenes []*scene }

func (u *untold) Error() string {
	text := "the demo did not happen as told"
	for _, s := range u.scenes {
		for _, e := range s.failed() {
			text += fmt.Sprintf("\n  scene %q: expected %s", s.Name, e)
		}
	}
	return text
}

// Hint says what to do about it.
func (u *untold) Hint() string {
	return "run it again with --keep to look at the parts; if it happens every time, it is a fault worth reporting"
}

// tale returns an error if a scene did not happen as told.
func tale(scenes []*scene) error {
	var u untold
	for _, s := range scenes {
		if len(s.failed()) > 0 {
			u.scenes = append(u.scenes, s)
		}
	}
	if len(u.scenes) > 0 {
		return &u
	}
	return nil
}
