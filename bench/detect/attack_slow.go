package detect

import (
	"math"

	"github.com/wonted-project/wonted/scoring"
)

// slows take little more than usual, for long. Every one of them follows the
// victim's own rhythm: what it asks for is larger, no more and no other.
func slows() []Scenario {
	meant := []scoring.Detector{scoring.Volume, scoring.Bulk, scoring.Drift, scoring.Slow}
	grown := func(times float64, requests int) func(*Long) func(*Call) {
		return func(l *Long) func(*Call) {
			left := requests
			return func(c *Call) {
				if left--; left >= 0 {
					l.grow(c, times)
					l.Drift = times
				}
			}
		}
	}
	frog := func(sigmas float64) func(*Long) func(*Call) {
		return func(l *Long) func(*Call) {
			return func(c *Call) {
				l.Drift = sigmas * l.Day
				l.grow(c, math.Exp2(l.Spread*l.Drift))
			}
		}
	}
	ramp := func(daily float64) func(*Long) func(*Call) {
		return func(l *Long) func(*Call) {
			return func(c *Call) {
				l.Drift = min(math.Pow(daily, l.Day), mostGrown)
				l.grow(c, l.Drift)
			}
		}
	}
	// The baseline is taught first, as whoever has read how one learns would.
	poison := func(lesson, times float64, requests int) func(*Long) func(*Call) {
		return func(l *Long) func(*Call) {
			left := requests
			return func(c *Call) {
				if l.Drift = lesson; l.Day > 2 {
					l.Drift = 1
					if left--; left >= 0 {
						l.Drift = times
					}
				}
				l.grow(c, l.Drift)
			}
		}
	}
	return []Scenario{
		{Name: "slow_none", Family: "slow", Benign: true, About: "as the others of this family, but nothing is changed",
			Over: func(*Long) func(*Call) { return func(*Call) {} }},
		{Name: "slow_x2", Family: "slow", Meant: meant, Twin: "slow_none", About: "600 requests of the victim's, each answered with twice as much", Over: grown(2, 600)},
		{Name: "slow_x4", Family: "slow", Meant: meant, Twin: "slow_none", About: "300 requests of the victim's, each answered with four times as much", Over: grown(4, 300)},
		{Name: "frog_0.05", Family: "frog", Meant: meant, Twin: "slow_none", About: "answers grow by 0.05 of the victim's own spread a day", Over: frog(.05)},
		{Name: "frog_0.1", Family: "frog", Meant: meant, Twin: "slow_none", About: "answers grow by 0.1 of the victim's own spread a day", Over: frog(.1)},
		{Name: "frog_0.5", Family: "frog", Meant: meant, Twin: "slow_none", About: "answers grow by 0.5 of the victim's own spread a day", Over: frog(.5)},
		{Name: "frog_1", Family: "frog", Meant: meant, Twin: "slow_none", About: "answers grow by the victim's own spread a day", Over: frog(1)},
		{Name: "frog_2", Family: "frog", Meant: meant, Twin: "slow_none", About: "answers grow by 2 of the victim's own spread a day", Over: frog(2)},
		{Name: "ramp_x1.5", Family: "slow", Meant: meant, Twin: "slow_none", About: "answers grow by half every day", Over: ramp(1.5)},
		{Name: "poisoning", Family: "slow", Meant: meant, Twin: "slow_none", About: "answers twice as large for two days, then 40 of them thirty times", Over: poison(2, 30, 40)},
	}
}

// mostGrown is as much as there is to take: no answer grows further.
const mostGrown = 1000

// grow makes the answer larger: more records of a list, as it has few of single
// objects only more bytes.
func (l *Long) grow(c *Call, times float64) {
	times = min(times, mostGrown)
	if c.Bytes > 0 {
		c.Bytes = int64(float64(c.Bytes) * times)
	}
	if c.Records > 1 {
		more := int64(float64(c.Records) * (times - 1))
		l.Stolen += more
		c.Records += more
	}
}
