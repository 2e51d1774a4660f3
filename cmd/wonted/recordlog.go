package main

import (
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

// recordLog tells once when recording something (exchanges, decisions) fails,
// again every minute while it does, and once when it goes on: a full disk must
// not fill the log as well. The recorder's goroutine owns it.
type recordLog struct {
	log    zerolog.Logger
	what   string
	limit  *rate.Limiter
	broken bool
}

func newRecordLog(log zerolog.Logger, what string) recordLog {
	return recordLog{log: log, what: what, limit: rate.NewLimiter(rate.Every(time.Minute), 1)}
}

func (l *recordLog) failed(err error, dropped uint64) {
	l.broken = true
	if l.limit.Allow() {
		l.log.Error().Err(err).Uint64("dropped", dropped).Msg(l.what + " cannot be recorded; traffic is not affected")
	}
}

func (l *recordLog) written(dropped uint64) {
	if l.broken {
		l.broken = false
		l.log.Info().Uint64("dropped", dropped).Msg(l.what + " are recorded again")
	}
}
