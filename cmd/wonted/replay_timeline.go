package main

import (
	"time"

	"github.com/wonted-project/wonted/policy"
)

// timeline is how odd things were over time, in at most timelineCells parts of
// one width, which doubles as the time grows longer.
type timeline struct {
	start int64 // Unix seconds
	width int64 // seconds; 0: nothing yet
	cells []timeCell
}

type timeCell struct {
	exchanges int
	score     float64 // the highest
	action    policy.Action
}

const timelineCells = 256

// add takes in one exchange; they come in the order of time.
func (t *timeline) add(at time.Time, score float64, action policy.Action) {
	if t.width == 0 {
		t.start, t.width = at.Unix(), 1
	}
	place := max(at.Unix()-t.start, 0) / t.width
	for ; place >= timelineCells; place /= 2 {
		t.widen()
	}
	for int64(len(t.cells)) <= place {
		t.cells = append(t.cells, timeCell{})
	}
	t.cells[place].merge(timeCell{1, score, action})
}

// widen makes one cell of two.
func (t *timeline) widen() {
	half := (len(t.cells) + 1) / 2
	for i := range half {
		cell := t.cells[2*i]
		if 2*i+1 < len(t.cells) {
			cell.merge(t.cells[2*i+1])
		}
		t.cells[i] = cell
	}
	t.cells = t.cells[:half]
	t.width *= 2
}

func (c *timeCell) merge(o timeCell) {
	c.exchanges += o.exchanges
	c.score = max(c.score, o.score)
	c.action = max(c.action, o.action)
}
