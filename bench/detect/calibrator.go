package detect

import (
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
)

// calibrator is wonted's, which learns nothing while it is frozen: of what is
// played in a fork.
type calibrator struct {
	*calibrate.Peers
	frozen bool
	before calibrate.Stats // as the evaluation began
}

// The budget is wonted's default.
const (
	budgetTarget = 1  // alerts per 1,000 identities and day
	budgetADay   = 50 // alerts at the most
)

func newCalibrator() *calibrator {
	budget := calibrate.Budget{PerIdentityDay: budgetTarget / 1000.0, PerDay: budgetADay}
	return &calibrator{Peers: calibrate.New(scoring.Calibration(budget))}
}

// Observe implements scoring.Calibrator.
func (c *calibrator) Observe(who *calibrate.Who, found *calibrate.Surprises, o *calibrate.Outcome) (slow float64) {
	if c.frozen {
		return 0
	}
	return c.Peers.Observe(who, found, o)
}

// controlled tells how calibration went in the evaluation days.
func (c *calibrator) controlled() Controller {
	now := c.Stats()
	sum := func(s *calibrate.Stats) float64 { return s.MeanE * float64(s.Windows) }
	k := Controller{
		Windows:   int64(now.Windows - c.before.Windows),
		Campaigns: now.Realised.Campaigns - c.before.Realised.Campaigns,
		New:       now.Thresholds[0], Mature: now.Thresholds[1], Learning: now.Learning,
	}
	if k.Windows > 0 {
		k.MeanE = (sum(&now) - sum(&c.before)) / float64(k.Windows)
	}
	return k
}
