package rego

import (
	"fmt"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/logging"
	"github.com/rs/zerolog"
)

// opaLog takes what OPA's plugins log. What fails is told by their status as
// well, and only debugging wants it twice.
type opaLog struct {
	log    zerolog.Logger
	about  string
	failed func(text string) // told of errors; nil: nobody is
	loud   atomic.Bool       // errors are told nowhere else
}

func (l *opaLog) Debug(string, ...any) {} // it dumps headers and bodies

func (l *opaLog) Info(format string, a ...any) { l.log.Debug().Msgf("opa: "+format, a...) }

func (l *opaLog) Warn(format string, a ...any) { l.log.Warn().Msgf(l.about+": "+format, a...) }

func (l *opaLog) Error(format string, a ...any) {
	if l.failed != nil {
		l.failed(fmt.Sprintf(format, a...))
	}
	if l.loud.Load() {
		l.Warn(format, a...)
		return
	}
	l.Info(format, a...)
}

func (l *opaLog) WithFields(map[string]any) logging.Logger { return l }
func (*opaLog) GetLevel() logging.Level                    { return logging.Info }
func (*opaLog) SetLevel(logging.Level)                     {}
