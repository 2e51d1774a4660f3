package main

import (
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

// recordLog tells once when recording fails, again every minute while it does,
// and once when it goes on: a full disk must not fill the log as well. The
// recorder's goroutine owns it.
type recordLog struct {
	log    zerolog.Logger
	limit  *rate.Limiter
	broken bool
}

func newRecordLog(log zerolog.Logger) recordLog {
	return recordLog{log: log, limit: rate.NewLimiter(rate.Every(time.Minute), 1)}
}

func (l *recordLog) failed(err error, dropped uint64) {
	l.broken = true
	if l.limit.Allow() {
		l.log.Error().Err(err).Uint64("dropped", dropped).Msg("exchanges cannot be recorded; traffic is not affected")
	}
}

func (l *recordLog) written(dropped uint64) {
	if l.broken {
		l.broken = false
		l.log.Info().Uint64("dropped", dropped).Msg("exchanges are recorded again")
	}
}
