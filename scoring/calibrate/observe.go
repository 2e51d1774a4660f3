package calibrate

import "math/bits"

func dayOf(now uint32) uint16 { return uint16(now / dayWidth) }

// claim returns the slot of who, with its window and day open; nil where
// somebody else has it today. A mature identity may take one from another that
// is not, so that a flood of newcomers does not keep the established from
// teaching; and who alarms may take it from anybody who does not.
func (p *Peers) claim(sh *shard, w *Who, o *Outcome) *slot {
	e := sh.find(w.Key)
	// Exchanges end in another order than that of their windows.
	window, day := w.Now/windowWidth+1, dayOf(w.Now)
	if e.key != w.Key {
		if e.key != 0 && e.day >= day && e.day != 0 && !e.gives(w, o) {
			return nil
		}
		p.closeWindow(e, w.Now)
		p.closeDay(e)
		*e = slot{key: w.Key}
	}
	if window > e.window {
		p.closeWindow(e, w.Now)
		e.window = window
	}
	if day > e.day {
		p.closeDay(e)
		e.day = day
		p.budget.arrive(w.Level)
	}
	e.cell = uint8(cellOf(w))
	return e
}

// gives: the slot's identity makes room for who.
func (e *slot) gives(w *Who, o *Outcome) bool {
	if e.is(dayAlerted) {
		return false
	}
	return o.Alarm || w.Level >= levels-1 && levelOf(int(e.cell)) < levels-1
}

// alarm notes that an exchange reached the threshold.
func (p *Peers) alarm(e *slot, w *Who, met *meeting) {
	e.flags |= windowAlarmed
	if met.member {
		met.counted = e.is(dayInCampaign) // it belongs to one already
		e.flags |= windowSpoiled | dayInCampaign
	}
	if !e.is(dayAlerted) {
		e.flags |= dayAlerted
		if !met.member {
			p.budget.alert(w.Now, 1)
		}
	}
}

// count ends a meeting: a campaign that has just become one is one alert, in
// place of those of its first members.
func (p *Peers) count(met *meeting, w *Who) {
	if !met.began || met.counted {
		return
	}
	for _, key := range met.first {
		if key == 0 || key == w.Key {
			continue
		}
		sh := p.slots.shard(key)
		sh.mu.Lock()
		if e := sh.find(key); e.key == key && e.is(dayAlerted) && !e.is(dayInCampaign) {
			e.flags |= dayInCampaign | windowSpoiled
			p.budget.alert(w.Now, -1)
			if e.is(dayPaid) {
				p.budget.pay(levelOf(int(e.cell)), -1)
			}
		}
		sh.mu.Unlock()
	}
	p.budget.campaign(w, p.tables.judge(w) != nil)
}

// sweep looks after one slot, another one every time: it closes what nobody
// comes back to.
func (p *Peers) sweep(sh *shard, now uint32) {
	sh.hand = (sh.hand + 1) % len(sh.slot)
	e := &sh.slot[sh.hand]
	if e.window != 0 && e.window < now/windowWidth { // a whole one ago: exchanges may still be under way
		p.closeWindow(e, now)
	}
	if e.day != 0 && e.day < dayOf(now) {
		p.closeDay(e)
		e.day = 0
	}
}

// pay raises the threshold at once when an identity-day alarms, or many that
// alarm on one day would not be felt before the next. It is the first half of
// the controller's step, and closeDay the second. What the upstream never
// accepted anything of might be anybody's, and pays nothing.
func (p *Peers) pay(e *slot, o *Outcome) {
	if !e.is(dayAccepted) || !e.is(dayJudged) || e.is(dayPaid) || e.is(dayInCampaign) {
		return
	}
	if o.Alarm || p.budget.over(levelOf(int(e.cell)), o.Score) {
		e.flags |= dayPaid
		p.budget.pay(levelOf(int(e.cell)), 1)
	}
}

// closeDay is the controller's step for one identity-day.
func (p *Peers) closeDay(e *slot) {
	if e.day != 0 && e.is(dayAccepted) && e.is(dayJudged) {
		p.budget.day(levelOf(int(e.cell)), e.is(dayAlerted) && e.is(dayPaid) && !e.is(dayInCampaign))
	}
	p.takeInDay(e)
	e.flags &= windowFlags
	e.odd = 0
}

// What one identity can teach: in a day no more windows than this that are one in
// a thousand, and in a fortnight, in which half is forgotten, one that is one in
// ten thousand or alarmed. What few identities do, however often, stays rare.
const (
	mostOdd   = 8
	fortnight = 14 // days
)

// today is the number of the slot's day, 1 to 255.
func (e *slot) today() uint8 { return uint8(e.day%255) + 1 }

// taughtLately says whether a rare window of the identity counted lately.
func (e *slot) taughtLately() bool {
	return e.taught != 0 && (int(e.today())-int(e.taught)+255)%255 < fortnight
}

// closeWindow takes the window that was open into the tables. What is part of a
// campaign stays out.
func (p *Peers) closeWindow(e *slot, now uint32) {
	if e.window == 0 {
		return
	}
	if e.ran != 0 && !e.is(windowSpoiled) {
		p.takeIn(e, now)
	}
	e.window, e.ran, e.sum, e.score = 0, 0, 0, 0
	e.flags &^= windowFlags
}

func (p *Peers) takeIn(e *slot, now uint32) {
	t := p.tables
	t.mu.Lock()
	defer t.mu.Unlock()
	e.owed = max(e.owed, p.slowValue(e))
	cell := int(e.cell)
	pooled := poolOf(levelOf(cell))
	p.counts.window(t, e, e.ran&^p.lasting)
	defer func() { p.budget.window(levelOf(cell), t.cells[pooled].judged.Load()) }()
	odd, rare, sum := t.rank(e, e.ran&^p.lasting)
	skip, taught := uint32(0), e.taughtLately() // skip: detectors of which the window does not count
	if rare != 0 || sum == rareSum {
		if taught {
			skip |= rare
		} else {
			e.taught = e.today()
		}
	}
	if odd != 0 || sum == oddSum {
		if e.odd >= mostOdd {
			skip |= odd
		}
		e.odd = min(e.odd, mostOdd) + 1
	}
	counts := e.sum > 0 && (sum == ordinarySum || sum == oddSum && e.odd <= mostOdd || sum == rareSum && !taught)
	for _, at := range [...]int{cell, pooled} {
		t.add(e, at, e.ran&^skip&^p.lasting, counts)
	}
	if e.sum > 0 {
		p.passRing(e, cell, pooled, now)
	}
	t.rebuild(cell, pooled, e.ran, now)
}

// takeInDay takes a day of those that last into the tables.
func (p *Peers) takeInDay(e *slot) {
	t := p.tables
	t.mu.Lock()
	defer t.mu.Unlock()
	cell := int(e.cell)
	for lasting := p.lasting; lasting != 0; lasting &= lasting - 1 {
		d := bits.TrailingZeros32(lasting)
		if e.most[d] == 0 {
			continue
		}
		p.counts.detector(d, t.windowValue(e, d))
		for _, at := range [...]int{cell, poolOf(levelOf(cell))} {
			t.columns[at*t.detectors+d].add(int(e.most[d]))
		}
		e.most[d] = 0
	}
}

// add counts a window in one cell.
func (t *tables) add(e *slot, at int, ran uint32, sum bool) {
	for ; ran != 0; ran &= ran - 1 {
		d := bits.TrailingZeros32(ran)
		i := at*t.detectors + d
		t.columns[i].add(int(e.most[d]))
	}
	c := &t.cells[at]
	c.windows++
	if sum {
		c.sums.add(int(e.sum - 1))
	}
}

// passRing puts an identity's window of the day into the rings when its turn
// has come.
func (p *Peers) passRing(e *slot, cell, pooled int, now uint32) {
	start := (e.window - 1) * windowWidth
	if e.is(windowAlarmed) || e.is(dayInRing) || start%dayWidth/3600 < turn(e.key, start/dayWidth) {
		return
	}
	e.flags |= dayInRing
	for _, at := range [...]int{cell, pooled} {
		if p.tables.cells[at].fast.add(int(e.sum)-1, now) {
			p.tables.buildFast(at)
		}
	}
}

// How odd the sum of a window is.
const (
	ordinarySum = iota
	oddSum
	rareSum
)

// rank tells the detectors whose most was one in a thousand in its cell, those
// of which it was one in ten thousand, and the same of the sum.
func (t *tables) rank(e *slot, ran uint32) (odd, rare uint32, sum int) {
	for ; ran != 0; ran &= ran - 1 {
		d := bits.TrailingZeros32(ran)
		switch i, most := int(e.cell)*t.detectors+d, e.most[d]; {
		case most >= t.rare[i]:
			rare |= 1 << d
		case most >= t.odd[i]:
			odd |= 1 << d
		}
	}
	switch c := &t.cells[e.cell]; {
	case e.sum == 0:
	case e.is(windowAlarmed) || e.sum > c.rare:
		sum = rareSum
	case e.sum > c.odd:
		sum = oddSum
	}
	return odd, rare, sum
}

// mostBuilt is how many tables are built when one window closes, so that no
// exchange waits for all of them.
const mostBuilt = 2

// rebuild builds what is due of what has just been added to.
func (t *tables) rebuild(cell, pooled int, ran uint32, now uint32) {
	built := 0
	for _, at := range [...]int{pooled, cell} {
		if c := &t.cells[at]; c.sums.n >= c.sums.due {
			t.buildScores(at, now)
			built++
		}
		for r := ran; r != 0 && built < mostBuilt; r &= r - 1 {
			d := bits.TrailingZeros32(r)
			if c := &t.columns[at*t.detectors+d]; c.n >= c.due {
				t.build(at, d, now)
				built++
			}
		}
	}
}

// slowValue is the e-value of a window as the slow detectors have it: their
// mean, which is one whatever they depend on.
func (p *Peers) slowValue(e *slot) float32 {
	t := p.tables
	sum, n := 0.0, 0
	for ran := e.ran & p.slow; ran != 0; ran &= ran - 1 {
		d := bits.TrailingZeros32(ran)
		v := t.windowValue(e, d)
		if v == 0 {
			continue
		}
		sum += v
		n++
	}
	return float32(sum / float64(max(n, 1)))
}

// windowValue is the e-value of the most that a detector found in a window; 0
// where there is no table.
func (t *tables) windowValue(e *slot, d int) float64 {
	cell := int(e.cell)
	for _, at := range [...]int{cell, poolOf(levelOf(cell))} {
		if t.cells[at].known.Load()>>d&1 == 1 {
			return load(&t.values[(at*t.detectors+d)*bins+int(e.most[d])])
		}
	}
	return 0
}
