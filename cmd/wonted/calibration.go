package main

import (
	"context"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
)

// calibration is what a calibrator is made of.
func calibration(b config.Budget) calibrate.Config { return scoring.Calibration(budgetOf(b)) }

func budgetOf(b config.Budget) calibrate.Budget {
	return calibrate.Budget{PerIdentityDay: b.Alerts / 1000, PerDay: b.Max}
}

// calibrationFile is in data_dir: what peers do, the threshold, and today's windows.
const calibrationFile = "calibration"

// openCalibration makes the calibrator, from data_dir where there is one.
func (s *service) openCalibration() error {
	cfg := calibration(s.cfg.Budget)
	s.peers = calibrate.New(cfg)
	err := s.load(calibrationFile, "scores are the models' until peers are known again", func(b []byte) error {
		p, saved, err := calibrate.Decode(b, cfg, s.key.ID())
		if err == nil {
			s.peers = p
			s.log.Info().Time("saved", saved.UTC()).Msg("loaded the calibration")
		}
		return err
	})
	s.reg.MustRegister(newCalibrationCollector(s.peers.Stats))
	return err
}

func (s *service) peersMeta() calibrate.Meta {
	return calibrate.Meta{KeyID: s.key.ID(), Now: time.Now()}
}

// learningStep is how often it is looked whether the learning phase is over.
const learningStep = 10 * time.Second

// tellLearning says in the log when the learning phase begins and ends.
func (s *service) tellLearning(ctx context.Context) {
	tick := time.NewTicker(learningStep)
	defer tick.Stop()
	for was := false; ; {
		if is := s.peers.Stats().Learning; is != was {
			was = is
			s.log.Info().Bool("learning", is).Msg(learningText(is))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func learningText(learning bool) string {
	if learning {
		return "learning phase: scores are the models' until peers are known, which takes about a day of traffic; the budget holds from then on"
	}
	return "the learning phase is over: most traffic is judged among its peers, and the threshold keeps the budget"
}

// changeBudget takes another budget up under traffic.
func (s *service) changeBudget(next config.Budget) {
	if next == s.cfg.Budget {
		return
	}
	s.peers.SetBudget(budgetOf(next))
	s.cfg.Budget = next
	s.log.Info().Float64("alerts_per_1000_identities_per_day", next.Alerts).Int("max_alerts_per_day", next.Max).Msg("the budget has changed")
}
