package demo

import (
	"context"
	"fmt"
	"strings"
)

// board is what the story comes to. Every number was measured in this run.
type board struct {
	LostWithout int     `json:"records_lost_without"`
	LostWith    int     `json:"records_lost_with"`
	StoppedAt   int     `json:"dump_stopped_at"` // the most records that left in one response
	Usual       int     `json:"owner_reads"`     // records in a list
	Others      harm    `json:"others"`
	Added       latency `json:"added_latency"`
	Crash       crashed `json:"crash"`
	Replay      string  `json:"replay"` // the line to replay one's own access log
}

// crashed is what happened to traffic around the crash.
type crashed struct {
	Before   int `json:"before"` // requests sent before wonted was gone, those in flight included
	After    int `json:"after"`
	Answered int `json:"answered"`
	Failed   int `json:"failed"`
}

func (c crashed) String() string {
	return fmt.Sprintf("%s of %s requests answered, %s of them with wonted dead",
		number(c.Answered), number(c.Before+c.After), number(c.After))
}

// replayLine is how anybody tries it on traffic of their own.
const replayLine = "wonted replay access.log"

// print draws the board.
func (b board) print(t *teller) {
	row := func(name, value, code string) {
		fmt.Fprintf(t.w, "   %-22s %s\n", name, t.paint(code, value))
	}
	rule := t.paint(dim, strings.Repeat("─", width-3))
	fmt.Fprintf(t.w, "\n   %s\n", rule)
	row("records lost", fmt.Sprintf("%s → %s", number(b.LostWithout), number(b.LostWith)), bold)
	row("a dump of "+number(pullRecords), fmt.Sprintf("stopped at %s, where the owner reads %d", number(b.StoppedAt), b.Usual), bold)
	row("customers disturbed", fmt.Sprintf("%d of %d, in %s requests", b.Others.Disturbed, b.Others.Customers, number(b.Others.Requests)), bold)
	row("latency added", b.Added.String(), bold)
	row("wonted dead", b.Crash.String(), bold)
	fmt.Fprintf(t.w, "   %s\n", rule)
	row("on your own traffic", b.Replay, blue)
}

// boardScene makes the board the last scene.
func (t *telling) boardScene(ctx context.Context) error {
	s := &scene{Name: "scoreboard", Title: "Scoreboard"}
	t.board.Others = t.others.harm()
	t.board.Replay = replayLine
	t.board.print(t.teller)
	s.Observed = t.board
	s.expect(t.board.LostWith*10 < t.board.LostWithout, "less than a tenth of the records was lost with wonted",
		"%d → %d", t.board.LostWithout, t.board.LostWith)
	expectUndisturbed(s, t.board.Others)
	return t.close(ctx, s)
}
