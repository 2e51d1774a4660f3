package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Depth is how much of an exchange Envoy shows.
type Depth string

// The depths, by what they cost: log sees every exchange once it is over; lean
// every request, and how it ended from the log; adaptive is lean, and looks at
// the responses that matter; headers sees every response, bodies counts every
// body.
const (
	Log      Depth = "log"
	Lean     Depth = "lean"
	Adaptive Depth = "adaptive"
	Headers  Depth = "headers"
	Bodies   Depth = "bodies"
)

var depths = []string{string(Log), string(Lean), string(Adaptive), string(Headers), string(Bodies)}

// UnmarshalText accepts the five.
func (d *Depth) UnmarshalText(text []byte) error {
	name := string(text)
	if !slices.Contains(depths, name) {
		allowed := strings.Join(depths, ", ")
		if near := closest(name, depths, 3); near != "" {
			allowed = fmt.Sprintf("did you mean %q? There are %s", near, allowed)
		}
		return fmt.Errorf("unknown depth %q: %s", name, allowed)
	}
	*d = Depth(name)
	return nil
}

// Timezone names the clock by which hours and days are told.
type Timezone struct{ *time.Location }

// UnmarshalText accepts names of the IANA database.
func (z *Timezone) UnmarshalText(text []byte) error {
	loc, err := time.LoadLocation(string(text))
	if err != nil || len(text) == 0 || string(text) == "Local" {
		return fmt.Errorf("unknown time zone %q: a name like UTC or Europe/Berlin", text)
	}
	z.Location = loc
	return nil
}

// Duration is a time.Duration written with its unit.
type Duration time.Duration

// UnmarshalText accepts durations above zero.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no duration above zero: write it like 30s, 5m or 1h", text)
	}
	*d = Duration(v)
	return nil
}

func (d Duration) String() string { return time.Duration(d).String() }

// LogLevel is the least severe level that is logged.
type LogLevel struct{ zerolog.Level }

var logLevels = map[string]zerolog.Level{
	"debug": zerolog.DebugLevel, "info": zerolog.InfoLevel,
	"warn": zerolog.WarnLevel, "error": zerolog.ErrorLevel,
}

// UnmarshalText accepts debug, info, warn and error.
func (l *LogLevel) UnmarshalText(text []byte) error {
	level, ok := logLevels[string(text)]
	if !ok {
		return fmt.Errorf(`unknown log level %q: "debug", "info", "warn" or "error"`, text)
	}
	l.Level = level
	return nil
}
