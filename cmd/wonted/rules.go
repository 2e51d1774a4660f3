package main

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// rulesFile is in data_dir: what the breaker has learned, and what it has demoted.
const rulesFile = "rules"

// tendEvery is how often minutes are closed: a demotion that is older survives a
// kill.
const tendEvery = 5 * time.Second

// tendRules looks after the breaker until ctx is done.
func (s *service) tendRules(ctx context.Context) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	var demoted string
	for {
		s.gate.Tend(time.Now())
		now := s.demotedRules()
		if now != demoted {
			_ = s.saveRules() // told in the log
		}
		demoted = now
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// demotedRules names them, and warns of them at /readyz.
func (s *service) demotedRules() string {
	var ids []string
	for _, r := range s.gate.Rules() {
		if r.Demoted {
			ids = append(ids, r.Rule)
		}
	}
	names := strings.Join(ids, ", ")
	if names == "" {
		s.trouble.clear("breaker")
	} else {
		s.trouble.set("breaker", "demoted to shadow, since they stop callers in good standing: "+names)
	}
	return names
}

// saveRules keeps which rules are demoted. An error has been told in the log.
func (s *service) saveRules() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.cfg.DataDir == "" {
		return nil
	}
	if s.lent { // the successor has read the file already
		return errLent
	}
	err := profile.ReplaceFile(filepath.Join(s.cfg.DataDir, rulesFile), s.gate.EncodeRules())
	if err != nil {
		s.log.Error().Err(err).Msg("which rules are demoted could not be saved")
	}
	return err
}

// ruleList is what GET /v1/rules answers. Its JSON names are a contract.
type ruleList struct {
	Rules []policy.RuleStatus `json:"rules"`
}

func (h *web) listRules(w http.ResponseWriter, _ *http.Request) {
	admin.JSON(w, http.StatusOK, ruleList{h.sv.gate.Rules()})
}

// restored answers POST /v1/rules/{rule}/restore. Its JSON names are a contract.
type restored struct {
	Rule    string `json:"rule"`
	Demoted bool   `json:"was_demoted"`
	Warning string `json:"warning,omitempty"`
}

func (h *web) restoreRule(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("rule")
	was, known := h.sv.gate.Restore(id, time.Now())
	if !known {
		admin.JSON(w, http.StatusNotFound, restored{})
		return
	}
	admin.Note(r, "rule "+id, "")
	h.sv.demotedRules()
	answer := restored{Rule: id, Demoted: was}
	if err := h.sv.saveRules(); was {
		answer.Warning = unwritten(err)
	}
	admin.JSON(w, http.StatusOK, answer)
}
