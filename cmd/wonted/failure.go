package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// failure is an error together with what its reader can do about it. Packages
// that cannot import this one say the same with a method Hint() string.
type failure struct {
	err    error
	hint   string
	status int // exitFailed, exitUsage, exitHolds
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }
func (f *failure) Hint() string  { return f.hint }

// advise adds to err what to do about it.
func advise(err error, format string, args ...any) error {
	return &failure{err: err, hint: fmt.Sprintf(format, args...), status: exitFailed}
}

// misuse is a command line that cannot be carried out.
func misuse(hint, format string, args ...any) error {
	return &failure{err: fmt.Errorf(format, args...), hint: hint, status: exitUsage}
}

// Exit statuses: 0 done, 1 it failed, 2 it was asked for wrongly, 3 it was done
// and what was to make it fail (--fail-on) is so.
const (
	exitFailed = 1
	exitUsage  = 2
	exitHolds  = 3
)

// explain prints err and its hint, a line each where err has only one thing to
// say, and returns the exit status.
func explain(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(w, "wonted: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n\t"))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.status
	}
	return exitFailed
}

// hintOf is what the reader of err can do about it, "" where that is not known.
func hintOf(err error) string {
	h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !ok {
		return ""
	}
	return h.Hint()
}
