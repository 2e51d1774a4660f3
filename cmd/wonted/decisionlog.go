package main

import (
	"fmt"
	"os"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// openDecisionLog is the decision log that the configuration asks for; nil: none.
func (s *service) openDecisionLog() (policy.DecisionLog, error) {
	c := &s.cfg.DecisionLog
	if c.Path == "" && c.URL == "" {
		return nil, nil
	}
	name, err := os.Hostname()
	if err != nil {
		name = "wonted"
	}
	cfg := rego.DecisionLogConfig{
		Server: rego.Server{URL: c.URL, Token: c.Token, CA: c.CA, Timeout: time.Minute},
		Every:  time.Duration(c.Every), Plain: c.Plain, Rate: c.MaxPerSecond,
		Mask: maskWith(recorded.NewRedactor(s.key.Recording(), naming(s.cfg)...)),
		Name: name, Log: s.log,
		Trouble: func(text string) {
			if s.trouble.set("decision log", text) && text != "" {
				s.log.Warn().Msgf("decision log: %s", text)
			}
		},
	}
	if c.Path != "" {
		f, err := recorded.OpenFile(c.Path, int64(c.MaxBytes), c.Keep)
		if err != nil {
			return nil, advise(fmt.Errorf("decision_log: %w", err), "decision_log.path names a file that this user can write, in a directory that is there")
		}
		cfg.Lines = &decisionLines{f, newRecordLog(s.log, "decisions of the decision log")}
	}
	if s.decided, err = rego.OpenDecisionLog(cfg); err != nil {
		return nil, advise(err, "mend decision_log in the configuration")
	}
	publish(s.reg, "wonted_decision_log_decisions_total", "Decisions that went into the decision log.", func() uint64 { return s.decided.Stats().Logged })
	publish(s.reg, "wonted_decision_log_dropped_total", "Decisions missing in the decision log, because too many came at once or its service did not keep up.", func() uint64 { return s.decided.Stats().Dropped })
	publish(s.reg, "wonted_decision_log_failures_total", "Writes and uploads of the decision log that failed.", func() uint64 { return s.decided.Stats().Failures })
	return s.decided, nil
}

// decisionLines writes to a file, and says once when that fails.
type decisionLines struct {
	file *recorded.File
	log  recordLog
}

func (l *decisionLines) Write(line []byte) (int, error) {
	n, err := l.file.Write(line)
	if err != nil {
		l.log.failed(err, 0)
	} else {
		l.log.written(0)
	}
	return n, err
}
