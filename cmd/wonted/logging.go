package main

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// newLogger writes JSON lines, or for people when out is a terminal.
func newLogger(out io.Writer, level zerolog.Level) zerolog.Logger {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		out = zerolog.ConsoleWriter{
			Out: out, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != "",
			FieldsExclude: []string{"evidence"}, // a report's `why` says the same in words
		}
	}
	return zerolog.New(zerolog.SyncWriter(out)).Level(level).With().Timestamp().Logger()
}
