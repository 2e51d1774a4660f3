package detect

import (
	"cmp"
	"fmt"
	"io"
)

// Config says what is run.
type Config struct {
	Seed       uint64
	Identities int
	Days       int
	Lasting    int      // days after training for what takes days; 0: as many as the others have
	Runs       int      // of each scenario
	Scenarios  []string // names; none: all
	Emit       io.Writer
	Progress   func(share float64, what string) // of the world that takes longest; may be nil
}

// Bounds of a Config.
const (
	leastIdentities = 50
	leastDays       = 7
	leastTraining   = 5 // days: a working week
)

// Validate says what is wrong with the configuration.
func (c *Config) Validate() error {
	switch {
	case c.Identities < leastIdentities || c.Identities > 1_000_000:
		return fmt.Errorf("%d identities: %d to 1,000,000 are possible", c.Identities, leastIdentities)
	case c.Days < leastDays || c.Days > 366:
		return fmt.Errorf("%d days: %d to 366 are possible, of which the first %d or more are training", c.Days, leastDays, leastTraining)
	case c.Lasting < 0 || c.Lasting > 366:
		return fmt.Errorf("%d days for attacks that take days: 1 to 366 are possible, or 0 for as many as there are after training", c.Lasting)
	case c.Runs < 10 || c.Runs > 100_000:
		return fmt.Errorf("%d runs: 10 to 100,000 of each scenario are possible", c.Runs)
	}
	_, err := Select(c.Scenarios)
	return err
}

// training is how many days pass before the evaluation.
func (c *Config) training() int { return max(leastTraining, c.Days/2) }

// lasting is how many days what takes days has.
func (c *Config) lasting() int { return cmp.Or(c.Lasting, c.Days-c.training()) }
