package detect

// informeds know the source and these figures, have the victim's key, have
// watched it, and have time: they want as many records a day as can be had
// unseen until the run is over. Volume, pace and a slow ramp are what they can
// turn; a level is how far they turn it, and every victim gets one of several,
// so that the report can say at which of them how many are seen. Over k stolen
// identities they get k times as much: what is measured is each of them.
func informeds() []Scenario {
	levels := [...]float64{1.5, 2, 3, 5, 10}
	level := func(l *Long) float64 { return levels[l.Nth%len(levels)] }
	return []Scenario{
		{Name: "informed_longer", Family: informed, Suits: tens, Twin: "slow_none",
			About: "answers that grow to a level, evenly over half of the days, then stay",
			Over: func(l *Long) func(*Call) {
				l.Level = level(l)
				return func(c *Call) { l.grow(c, l.rise()) }
			}},
		{Name: "informed_more", Family: informed, Suits: tens, Twin: "slow_none",
			About: "lists asked for more often, up to a level in the same way, while the victim does",
			Over: func(l *Long) func(*Call) {
				l.Level = level(l)
				return func(c *Call) { l.again(c, l.rise()) }
			}},
		// A habit's extremes alarm nobody: what was ordinary once is a precedent.
		{Name: "informed_filled", Family: informed, Suits: tens, Twin: "slow_none",
			About: "every list as long as the longest that the victim was seen to read",
			Over: func(l *Long) func(*Call) {
				return func(c *Call) {
					if c.Records > 1 && c.Records < l.Longest {
						l.grow(c, float64(l.Longest)/float64(c.Records))
					}
				}
			}},
		// The strongest: it runs wonted itself beside the stolen key, on the same
		// traffic, and stays under half the threshold.
		{Name: "informed_adaptive", Family: informed, Suits: tens, Twin: "slow_none",
			About: "more and longer lists, 2 % more of them with every request until the score nears half the threshold",
			Over: func(l *Long) func(*Call) {
				l.Drift = 1
				return func(c *Call) {
					if l.Score < l.Threshold/2 {
						l.Drift = min(l.Drift*1.02, 100)
					} else {
						l.Drift = max(l.Drift*.7, 1)
					}
					l.grow(c, l.Drift)
					l.again(c, min(l.Drift, 3))
				}
			}},
	}
}

const informed = "informed"

// rise is how far it has come to its level: half of the days are for the ramp.
func (l *Long) rise() float64 {
	half := float64(l.Victim.world.ends()-l.begins) / float64(2*day)
	l.Drift = 1 + (l.Level-1)*min(l.Day/half, 1)
	return l.Drift
}

// again asks for a list more often, so many times in the mean.
func (l *Long) again(c *Call, times float64) {
	if c.Records <= 1 {
		return
	}
	for more := times - 1; more > 0; more-- {
		if l.Rand.Float64() < more {
			l.Also(*c)
			l.Stolen += c.Records
		}
	}
}
