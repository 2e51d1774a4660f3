package detect

// baseline is what people use today, judging the same stream. Its scores have
// any unit: it is given the threshold at which it has the same false alarms.
type baseline interface {
	name() string
	// see counts the exchange, whose answer is known, and says how odd it is.
	see(c *Call) float32
	// fork begins a time that must not have happened, back ends and undoes it.
	fork()
	back()
}

// baselines are all there are, in the order of reports.
func baselines() []baseline {
	return []baseline{newTokenBucket("caller", (*Call).caller), newTokenBucket("address", (*Call).address), newLeaky(), newRiskBased(), newZscore()}
}

// states is a baseline's state by caller or address, which a fork leaves as it was.
type states[K comparable, S any] struct {
	all    map[K]S
	forked bool
	was    map[K]S // as it stood before the fork
	new    []K     // what was not there
}

func newStates[K comparable, S any]() states[K, S] {
	return states[K, S]{all: map[K]S{}, was: map[K]S{}}
}

// get returns the state; ok: there is one.
func (t *states[K, S]) get(k K) (s S, ok bool) {
	s, ok = t.all[k]
	return s, ok
}

// set keeps it.
func (t *states[K, S]) set(k K, s S) {
	if t.forked {
		if _, kept := t.was[k]; !kept {
			if old, ok := t.all[k]; ok {
				t.was[k] = old
			} else {
				t.new = append(t.new, k)
			}
		}
	}
	t.all[k] = s
}

func (t *states[K, S]) fork() { t.forked = true }

func (t *states[K, S]) back() {
	for k, s := range t.was {
		t.all[k] = s
	}
	for _, k := range t.new {
		delete(t.all, k)
	}
	clear(t.was)
	t.new, t.forked = t.new[:0], false
}
