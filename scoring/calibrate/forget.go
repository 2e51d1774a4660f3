package calibrate

// Forget erases an identity: its windows of today, which teach nothing then, and
// its part in campaigns; and, if it is a place, a network or device, what
// happened together there. Tables, thresholds and counts stay: nobody can be
// told from them.
func (p *Peers) Forget(key, place uint64) {
	sh := p.slots.shard(key)
	sh.mu.Lock()
	if e := sh.find(key); e.key == key {
		e.most = [MaxDetectors]uint8{}
		p.closeDay(e) // the controller has had the first half of its step
		*e = slot{}
	}
	sh.mu.Unlock()
	p.campaigns.forget(key, place)
}

// forget leaves a gap among the members: they are as many as before.
func (c *campaigns) forget(key, place uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.groups {
		for j := range c.groups[i] {
			g := &c.groups[i][j]
			for m := range g.members {
				if g.members[m] == key {
					g.members[m] = 0
				}
			}
		}
	}
	for kind := range together {
		for top := range MaxDetectors {
			at := placeOf(kind, top, place)
			for j := range c.groups[at>>56] {
				if g := &c.groups[at>>56][j]; g.place == at {
					*g = alike{}
				}
			}
		}
	}
}
