package scoring

// nextDay is called with every lesson and acts once a day: what is too dear for
// every request is done here. Years of silence count as a week for the anchors:
// they give no more room.
func (l *look) nextDay() {
	day := uint16(l.now / aDay)
	if !l.mature || day == l.rec.Learned {
		return
	}
	if passed := day - l.rec.Learned; l.rec.Learned != 0 && passed < 1<<15 {
		l.fadePrecedents(int(min(passed, 400)))
		l.moveAnchors(float64(min(passed, 7)))
	} else {
		l.moveAnchors(1) // the first day, or a clock that is wrong
	}
	behave(l.rec)
	l.rec.Learned = day
}
