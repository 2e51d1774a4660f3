package config

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"
)

// Depth is how much of an exchange Envoy is asked for.
type Depth string

// The depths that this version carries out. Without an access log adaptive
// has the floor headers, so that both ask for the same.
const (
	Adaptive Depth = "adaptive"
	Headers  Depth = "headers"
)

// UnmarshalText accepts adaptive and headers, and tells apart what is not yet
// carried out from what does not exist.
func (d *Depth) UnmarshalText(text []byte) error {
	const allowed = `"adaptive" and "headers" are carried out by this version`
	switch s := Depth(text); s {
	case Adaptive, Headers:
		*d = s
		return nil
	case "log", "lean", "bodies":
		return fmt.Errorf("depth %q is not available in this version: %s", s, allowed)
	default:
		return fmt.Errorf("unknown depth %q: %s", s, allowed)
	}
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
