package scoring

// nextDay is called with what the upstream accepted and acts once a day: what is
// too dear for every request is done here. Years of silence count as a week for
// the anchors: they give no more room.
func (l *look) nextDay() {
	day := uint16(l.now / aDay)
	if !l.mature || day == l.rec.Learned {
		return
	}
	days := 1.0 // the first day, or a clock that is wrong
	if passed := day - l.rec.Learned; l.rec.Learned != 0 && passed < 1<<15 {
		l.fadePrecedents(int(min(passed, 400)))
		days = float64(min(passed, 7))
	} else if l.habits != nil {
		hours := &l.habits.Behaviour.Hours // of more days than one
		*hours = uint8(uint32(*hours) * aDay / max(l.now-min(l.rec.Created, l.now), aDay))
	}
	l.rec.Learned = day
	if l.habits != nil && l.kind == stands(l.ex) {
		l.norms.contribute(l, l.now/aDay)
	}
	l.moveAnchors(days)
	behave(l.rec)
}
