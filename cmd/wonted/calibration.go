package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
)

// calibration is what a calibrator is made of.
func calibration(b config.Budget) calibrate.Config { return scoring.Calibration(budgetOf(b)) }

func budgetOf(b config.Budget) calibrate.Budget {
	return calibrate.Budget{PerIdentityDay: b.Alerts / 1000, PerDay: b.Max}
}

// openCalibration makes the calibrator, from data_dir where there is one.
func (s *service) openCalibration() (err error) {
	if dir := s.cfg.DataDir; dir == "" {
		s.peers = calibrate.New(calibration(s.cfg.Budget))
	} else {
		var report calibrate.Report
		s.peers, report, err = calibrate.Load(dir, calibration(s.cfg.Budget), s.peersMeta())
		if err != nil {
			return advise(err, "make data_dir readable and writable for this user, or move the file away for a cold start")
		}
		level := zerolog.InfoLevel
		if report.Renamed != "" {
			level = zerolog.WarnLevel
		}
		s.log.WithLevel(level).Str("data_dir", dir).Msg(report.String())
	}
	s.reg.MustRegister(newCalibrationCollector(s.peers.Stats))
	return nil
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
