package profile

// Established is how many accepted requests make a record worth keeping when it
// leaves the slab: it moves to the level below, and others are dropped.
const Established = 8

// class is what eviction knows of a record, a byte beside it, so that looking
// for a victim walks 64 records a cache line.
type class uint8

const (
	vacant    class = iota // no record
	probation              // fewer than Established accepted requests
	protected              // Established
	fixed                  // routes: few, and never in a stranger's way
	classes   int   = iota
)

// sample is how many records of a class are looked at for one victim.
const sample = 8

// victim chooses the record that makes room, at the cap, in a time that does
// not depend on how many there are.
//
// Who has not had eight requests accepted is on probation and goes first:
// whoever invents identities evicts only others of their kind, never an
// established caller. Probation keeps a sixteenth of the room though, else at
// a cap full of established records two newcomers would evict each other for
// ever; that sixteenth, once, is the most a flood can send down.
//
// Within the class the hand goes round, and of the next eight it passes the
// one goes that was never accepted, else the one unseen for longest: near
// enough to the oldest of all (of eight, within the oldest eighth on average),
// and a newcomer whose requests are accepted outlives a flood of those whose
// are not.
func (sh *shard) victim() (slot uint32) {
	c := sh.victimClass()
	left := min(sample, sh.members[c])
	found := false
	for range sh.used {
		if sh.hand++; sh.hand >= sh.used {
			sh.hand = 0
		}
		at := sh.slot(sh.hand)
		if sh.slab.classes[at] != c {
			continue
		}
		if !found || sh.before(at, slot) {
			slot, found = at, true
		}
		if left--; left == 0 {
			break
		}
	}
	return slot
}

func (sh *shard) victimClass() class {
	switch {
	case sh.members[probation] > sh.capacity/16:
		return probation
	case sh.members[protected] > 0:
		return protected
	case sh.members[probation] > 0:
		return probation
	default: // nothing but routes, which 4,096 of them cannot bring about
		return fixed
	}
}

// before says that a should go before b.
func (sh *shard) before(a, b uint32) bool {
	x, y := &sh.slab.records[a].Header, &sh.slab.records[b].Header
	if (x.Accepted == 0) != (y.Accepted == 0) {
		return x.Accepted == 0
	}
	return x.LastSeen < y.LastSeen
}

// settle moves a record that has been used on to protection when it has earned it.
func (sh *shard) settle(slot uint32) {
	if sh.slab.classes[slot] == probation && sh.slab.records[slot].Accepted >= Established {
		sh.leave(slot)
		sh.slab.classes[slot] = protected
		sh.members[protected]++
	}
}

func (sh *shard) enter(slot uint32, kind Kind) {
	c := probation
	if kind.fixed() {
		c = fixed
	}
	sh.slab.classes[slot] = c
	sh.members[c]++
}

func (sh *shard) leave(slot uint32) {
	sh.members[sh.slab.classes[slot]]--
	sh.slab.classes[slot] = vacant
}
