package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress is a line on a terminal that says how far a replay is. The zero
// progress shows nothing.
type progress struct {
	w     io.Writer // nil: nobody looks
	start time.Time
	last  time.Time
}

const progressEvery = 200 * time.Millisecond

// newProgress shows nothing unless standard error is a terminal and what is
// printed meanwhile does not go to one as well.
func newProgress(std stdio, quiet bool, now time.Time) progress {
	if quiet || !terminal(std.err) {
		return progress{}
	}
	return progress{w: std.err, start: now, last: now}
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// show writes the line anew, not too often.
func (p *progress) show(now time.Time, read, total int64, exchanges int) {
	if p.w == nil || now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	fmt.Fprint(p.w, "\r\x1b[K"+progressLine(now.Sub(p.start), read, total, exchanges))
}

// clear takes the line away.
func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// progressLine is a bar with bytes, speed and the time that is left, as far as
// the total is known.
func progressLine(took time.Duration, read, total int64, exchanges int) string {
	speed := grouped(int(float64(exchanges)/max(took.Seconds(), 1e-3))) + " exchanges/s"
	if total <= 0 {
		return fmt.Sprintf("%s, %s", megabytes(read), speed)
	}
	const width = 24
	done := min(float64(read)/float64(total), 1)
	full := int(done * width)
	line := fmt.Sprintf("[%s%s] %3.0f %%  %s of %s, %s", strings.Repeat("#", full), strings.Repeat(".", width-full),
		100*done, megabytes(read), megabytes(total), speed)
	if done > 0 {
		left := time.Duration(float64(took) * (1 - done) / done)
		line += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return line
}

func megabytes(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
