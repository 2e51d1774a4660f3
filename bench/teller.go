package bench

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// teller tells a waiting reader how far the run is: on a terminal in one line
// that is written over, elsewhere not at all but for what is worth keeping.
type teller struct {
	w        io.Writer
	terminal bool
	open     bool // the line on the terminal has not ended
	visits   int  // to come, in all
	visited  int
	start    time.Time
}

func newTeller(w io.Writer) *teller {
	f, ok := w.(*os.File)
	return &teller{w: w, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// expect counts what is to come.
func (t *teller) expect(p *Plan) {
	for _, c := range p.Points {
		t.visits += c.Rounds * len(c.Variants)
	}
	t.start = time.Now()
}

// step is what happens at this moment.
func (t *teller) step(text string) {
	if t.terminal {
		fmt.Fprintf(t.w, "\r\x1b[K%.79s", text)
		t.open = true
	}
}

// visit is a step of those that were expected.
func (t *teller) visit(text string) {
	if t.visited > 0 {
		left := time.Since(t.start) / time.Duration(t.visited) * time.Duration(t.visits-t.visited)
		text += fmt.Sprintf(" (%d %%, about %v left)", 100*t.visited/max(t.visits, 1), left.Round(time.Second))
	}
	t.visited++
	t.step(text)
}

// line stays.
func (t *teller) line(text string) {
	t.end()
	fmt.Fprintln(t.w, text)
}

// end clears the line that is written over.
func (t *teller) end() {
	if t.open {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.open = false
	}
}
