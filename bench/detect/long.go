package detect

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/wonted-project/wonted/scoring/window"
)

// Long is an attack that takes days, on a victim of its own: an identity beside
// the population, whose calls are changed from the evaluation's first day on.
// It lives in a world of its own sort, so that no other figure knows of it.
type Long struct {
	Victim *Identity  // its habits; where it is in what it does is not to be looked at
	Nth    int        // of the scenario's victims, from 1
	Rand   *rand.Rand // of this victim alone
	Day    float64    // since it began

	// What an attacker who has watched the victim knows, of the training days.
	Spread  float64 // standard deviation of log2 of the bytes of an active window
	Normal  float64 // records a day
	Longest int64   // records of one answer

	// What one who knows wonted as well can work out: the last exchange's.
	Score, Threshold float64

	// What the scenario tells for the report.
	Level  float64 // how far its strategy is turned up, of an informed attacker
	Drift  float64 // how far it has gone, in its own unit
	Stolen int64   // records so far that the victim would not have asked for

	trial  *trial
	begins int64
	alter  func(*Call)
	more   []Call
	window int64
	bytes  float64
	sizes  window.Moments
	past   int64 // records in training
}

// Also adds a request right behind the one in hand.
func (l *Long) Also(c Call) { l.more = append(l.more, c) }

// longRun is what became of a Long when it was first stopped, or at the end.
type longRun struct {
	stopped bool
	day     float64
	drift   float64
	level   float64 // the Long's
	take    float64 // records stolen a day, in multiples of the victim's normal
}

// longVictims is how many victims a Long scenario gets. Several scenarios share a
// world, so one identity in thirty or twenty is a victim of some: what one in
// twenty does is not odd, and of what lasts a day is rare only if few have such
// days. So calibration learns nothing of what is done to them, as it learns
// nothing of a fork: each is measured as the only one. Then they bet nothing
// either, and what is found of them is found without the detector "slow".
func longVictims(identities int) int { return min(max(identities/100, 5), 30) }

// lastingWorlds are as many as the scenarios that take days are dealt out to.
const lastingWorlds = 3

// newLasting are the worlds in which they are played; those that have any.
func newLasting(cfg Config) (all []*engine) {
	for world := range lastingWorlds {
		e := newEngine(cfg, cfg.training()+cfg.lasting())
		if e.addLongs(cfg.Identities, world); len(e.longs) == 0 {
			e.store.Close()
			continue
		}
		all = append(all, e)
	}
	return all
}

// addLongs puts the victims of a world's scenarios that take days beside the
// population.
func (e *engine) addLongs(identities, world int) {
	number := uint32(identities)
	for i := range e.scenarios {
		s := &e.scenarios[i]
		if s.Over == nil || i%lastingWorlds != world {
			continue
		}
		for n := 0; n < longVictims(identities); {
			number++
			id := newIdentity(e.world, number)
			if id.born > e.world.begins() || id.gone < e.world.ends() || s.Suits != nil && !s.Suits(id) {
				continue
			}
			n++
			rng := rand.New(rand.NewPCG(e.world.seed^xxh3.HashString(s.Name), uint64(n)))
			e.everybody = append(e.everybody, id)
			if e.longs == nil {
				e.longs = map[uint32]*Long{}
			}
			e.longs[number] = &Long{Victim: id.copy(rng), Nth: n, Rand: rng, begins: e.world.evaluates(),
				trial: &trial{scenario: i, victim: number, class: id.Class, steps: make([][]step, len(e.scores)), long: &longRun{}}}
		}
	}
	e.mature = append(e.mature, make([]bool, int(number)-identities)...)
}

// long plays a call of a victim of its own.
func (e *engine) long(l *Long, c *Call) {
	if c.At < l.begins {
		l.watch(c)
		e.play(c, false)
		return
	}
	if l.alter == nil {
		l.Spread = math.Sqrt(max(float64(l.sizes.Var()), .01))
		l.Normal = max(float64(l.past)/float64(e.world.training), 1)
		l.alter = e.scenarios[l.trial.scenario].Over(l)
	}
	l.Day = float64(c.At-l.begins) / float64(day)
	l.more = l.more[:0]
	l.alter(c)
	e.playLong(l, c)
	for i := range l.more {
		l.more[i].At = c.At
		e.playLong(l, &l.more[i])
	}
}

func (e *engine) playLong(l *Long, c *Call) {
	e.calibrator.frozen = true
	l.trial.note(e, c, e.play(c, false))
	e.calibrator.frozen = false
	l.Score, l.Threshold = e.ex.Assessment.Score, e.ex.Assessment.Threshold
	if r := l.trial.long; !r.stopped {
		r.stopped, r.level = l.trial.stopped > 0, l.Level
		r.day, r.drift, r.take = l.Day, l.Drift, float64(l.Stolen)/max(l.Day, 1)/l.Normal
	}
}

// watch takes in what is usual.
func (l *Long) watch(c *Call) {
	l.past += max(c.Records, 0)
	l.Longest = max(l.Longest, c.Records)
	if w := c.At / windowMillis; w != l.window {
		if l.bytes > 0 {
			l.sizes.Add(math.Log2(1+l.bytes), 1)
		}
		l.window, l.bytes = w, 0
	}
	l.bytes += float64(max(c.Bytes, 0))
}

// gatherLongs puts what became of them to the other trials, in the victims' order.
// To one that was not there any more nothing was done.
func (e *engine) gatherLongs() {
	for _, number := range slices.Sorted(maps.Keys(e.longs)) {
		if t := e.longs[number].trial; t.requests > 0 {
			e.trials = append(e.trials, *t)
		} else {
			e.skipped[t.scenario]++
		}
	}
}
