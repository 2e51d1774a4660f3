package main

import (
	"fmt"
	"io"
)

// report prints numbers and keeps count of those that miss their bound.
type report struct {
	w io.Writer
	// strict judges times and resident memory as well: only in a process of its
	// own, on a machine that does nothing else of weight, do they mean something.
	strict bool
	kept   int
	missed int
}

// say prints what is worth knowing and has no bound.
func (r *report) say(format string, args ...any) {
	fmt.Fprintf(r.w, "          "+format+"\n", args...)
}

// must prints a number and whether it keeps its bound.
func (r *report) must(kept bool, format string, args ...any) {
	mark := "  ok      "
	if kept {
		r.kept++
	} else {
		mark = "  MISSED  "
		r.missed++
	}
	fmt.Fprintf(r.w, mark+format+"\n", args...)
}

// machine is must for what depends on the machine.
func (r *report) machine(kept bool, format string, args ...any) {
	if !r.strict {
		r.say(format, args...)
		return
	}
	r.must(kept, format, args...)
}

func (r *report) head(format string, args ...any) { fmt.Fprintf(r.w, format+"\n", args...) }

func (r *report) verdict(name string) error {
	if r.missed > 0 {
		return fmt.Errorf("%s: %d numbers missed", name, r.missed)
	}
	return nil
}
