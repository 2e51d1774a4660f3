package detect

import (
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
)

// calibrator is wonted's, which learns nothing while it is frozen: of what is
// played in a fork.
type calibrator struct {
	scoring.Calibrator
	frozen bool
}

func newCalibrator() *calibrator { return &calibrator{Calibrator: calibrate.Uncalibrated{}} }

// Observe implements scoring.Calibrator.
func (c *calibrator) Observe(who *calibrate.Who, found *calibrate.Surprises, o *calibrate.Outcome) (slow float64) {
	if c.frozen {
		return 0
	}
	return c.Calibrator.Observe(who, found, o)
}
