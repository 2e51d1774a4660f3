package calibrate

// What a snapshot holds, in this order: the names of the detectors, thresholds
// and budget, the columns of all cells, campaigns, and the slots of today. The
// tables are made of the columns when they are read.

// state writes p, or reads it into one that is new. Detectors are known by their
// names: one that is gone is left out, and a new one starts cold.
func (p *Peers) state(c *coder) {
	names := p.detectors(c)
	p.budget.state(c)
	p.tables.mu.Lock()
	c.f64(&p.counts.judged)
	c.flag(&p.counts.learning)
	p.tables.state(c, names)
	p.tables.mu.Unlock()
	p.campaigns.state(c)
	p.slots.state(c, names)
}

// detectors are the numbers that the detectors of the snapshot have here; -1:
// none.
func (p *Peers) detectors(c *coder) []int {
	n := uint8(len(p.names))
	c.u8(&n)
	if n > MaxDetectors {
		c.short = true
		return nil
	}
	at := make([]int, n)
	for i := range at {
		at[i] = i
		name := ""
		if !c.reading {
			name = p.names[i]
		}
		if c.text(&name); !c.reading {
			continue
		}
		at[i] = -1
		for d, known := range p.names {
			if known == name {
				at[i] = d
			}
		}
	}
	return at
}

func (b *controller) state(c *coder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.groups {
		g := &b.groups[i]
		tau := g.get()
		c.f64(&tau)
		c.flag(&g.began)
		c.f64(&g.days)
		c.f64(&g.arrived)
		c.f64(&g.windows)
		g.set(min(max(tau, 1), MaxScore))
	}
	c.u16(&b.today)
	alerts, capped := int64(max(b.alerts, 0)), b.capped.Load()
	c.count(&alerts)
	c.u32(&capped)
	b.alerts = int(alerts)
	b.capped.Store(capped)
	t := &b.totals
	for _, n := range []*int64{&t.Days, &t.Alerts, &t.Campaigns} {
		c.count(n)
	}
	c.f64(&t.LateDays)
	c.f64(&t.LateAlerts)
}

func (t *tables) state(c *coder, names []int) {
	unknown := column{counts: make([]float32, bins)}
	for at := range t.cells {
		for _, d := range names {
			of := &unknown
			if d >= 0 {
				of = &t.columns[at*t.detectors+d]
			}
			if c.column(of); c.short {
				return
			}
		}
		l := &t.cells[at]
		c.f64(&l.windows)
		c.column(&l.sums)
		l.fast.state(c)
	}
}

func (r *ring) state(c *coder) {
	n := uint16(r.n)
	c.u16(&n)
	if n > ringSize {
		c.short = true
		return
	}
	first := r.oldest()
	for i := range int(n) {
		var bin uint16
		var at uint32
		if !c.reading {
			bin, at = r.bins[(first+i)%ringSize], r.times[(first+i)%ringSize]
		}
		c.u16(&bin)
		c.u32(&at)
		if bin >= sumBins {
			c.short = true
			return
		}
		if c.reading {
			r.add(int(bin), at)
		}
	}
}

func (s *campaigns) state(c *coder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.groups {
		for j := range s.groups[i] {
			g := &s.groups[i][j]
			if c.u64(&g.place); g.place == 0 || c.short {
				continue
			}
			c.u32(&g.last)
			c.u8(&g.n)
			c.flag(&g.campaign)
			for m := range g.members {
				c.u64(&g.members[m])
			}
			g.n = min(g.n, firstMembers)
		}
	}
}

// state writes the slots that are in use, and one without a key.
func (s *slots) state(c *coder, names []int) {
	if c.reading {
		for !c.short {
			var e slot
			if e.state(c, names); e.key == 0 {
				return
			}
			if int(e.cell) < cells {
				*s.shard(e.key).find(e.key) = e
			}
		}
		return
	}
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for j := range sh.slot {
			if e := &sh.slot[j]; e.key != 0 {
				e.state(c, names)
			}
		}
		sh.mu.Unlock()
	}
	(&slot{}).state(c, names)
}

func (e *slot) state(c *coder, names []int) {
	if c.u64(&e.key); e.key == 0 {
		return
	}
	c.u32(&e.window)
	ran, most := e.ran, e.most
	c.u32(&ran)
	c.f32(&e.owed)
	c.u16(&e.day)
	c.u16(&e.sum)
	for _, v := range []*uint8{&e.cell, &e.score, &e.odd, &e.taught, &e.flags} {
		c.u8(v)
	}
	kept := ran // and what lasts, of a day
	for d, b := range most {
		if b > 0 {
			kept |= 1 << d
		}
	}
	c.u32(&kept)
	for i := range names {
		if kept>>i&1 == 1 {
			c.u8(&most[i])
		}
	}
	if !c.reading {
		return
	}
	e.sum, e.score = min(e.sum, sumBins), min(e.score, MaxScore*20)
	for i, d := range names {
		if d < 0 || kept>>i&1 == 0 {
			continue
		}
		e.ran |= ran >> i & 1 << d
		e.most[d] = most[i]
	}
}

// restore makes the tables of what was read.
func (p *Peers) restore() {
	t := p.tables
	t.mu.Lock()
	defer t.mu.Unlock()
	// Pools first: the others borrow from them.
	for _, pools := range []bool{true, false} {
		for at := range t.cells {
			if (at%levelCells == pool) != pools {
				continue
			}
			for d := range t.detectors {
				if c := &t.columns[at*t.detectors+d]; c.n >= c.due {
					t.build(at, d, c.faded)
				}
			}
			if c := &t.cells[at].sums; c.n >= c.due {
				t.buildScores(at, c.faded)
				t.buildFast(at)
			}
		}
	}
}
