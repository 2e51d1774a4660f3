package calibrate

import (
	"math/bits"
	"sort"
)

// Config is what Peers is made of.
type Config struct {
	Detectors []string // names, by number; at most MaxDetectors
	Slow      []int    // those that speak for slow signals
	Lasting   []int    // those that speak for hours: of each day the most counts
	Budget    Budget
	Slots     int // identities that can teach on one day; 0: 65,536
}

// Peers calibrates surprises against those of peers, and holds the threshold to
// a budget of alerts. See the package comment. It is safe for concurrent use and
// allocates nothing once made.
type Peers struct {
	names     []string
	slow      uint32
	lasting   uint32
	tables    *tables
	slots     slots
	budget    controller
	campaigns campaigns
	counts    counts
}

// New returns one that knows nothing. It panics where there are too many
// detectors.
func New(cfg Config) *Peers {
	if len(cfg.Detectors) == 0 || len(cfg.Detectors) > MaxDetectors {
		panic("calibrate.New: 1 to 32 detectors")
	}
	if cfg.Slots == 0 {
		cfg.Slots = 1 << 16
	}
	p := &Peers{names: cfg.Detectors, tables: newTables(len(cfg.Detectors)), slots: newSlots(cfg.Slots)}
	for _, d := range cfg.Slow {
		p.slow |= 1 << d
	}
	for _, d := range cfg.Lasting {
		p.lasting |= 1 << d
	}
	p.budget.init(cfg.Budget)
	p.counts.learning = true
	return p
}

// Score judges what was found among who's peers. It is monotone in every
// surprise, but for the microseconds in which a table is built.
func (p *Peers) Score(w *Who, s *Surprises) Verdict {
	s.Sum = p.tables.sum(w, s)
	c := p.tables.judge(w)
	threshold, raised := p.budget.threshold(w, c != nil)
	if c == nil || s.Sum == 0 {
		v := Verdict{Score: uncalibrated(s), Threshold: threshold}
		return p.relieve(w, v, raised)
	}
	bin := sumBin(s.Sum)
	v := Verdict{Score: load(&c.score[bin]), Threshold: threshold, Sum: s.Sum}
	if slow := load(&c.slow[bin]); v.Score < threshold && slow >= threshold && p.campaigns.meets(w, s.top()) {
		v.Score = slow // a campaign must not hide itself by being many
	}
	return p.relieve(w, v, raised)
}

// relieve takes the cap of the day back for who has had an alert today: more of
// the same is no further alert.
func (p *Peers) relieve(w *Who, v Verdict, raised bool) Verdict {
	if raised && v.Score >= v.Threshold-capStep && p.alerted(w) {
		v.Threshold -= capStep
	}
	return v
}

// alerted says whether who has had an alert today.
func (p *Peers) alerted(w *Who) bool {
	sh := p.slots.shard(w.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.find(w.Key)
	return s.key == w.Key && s.day == dayOf(w.Now) && s.is(dayAlerted)
}

// Limit is the surprise in bits at which detector d would bring the score to
// the threshold, on top of what the others have found, or at which it would by
// itself be as rare as the threshold says. It is as fine as the tables' bins, and
// where no surprise would do it is that of the last bin.
func (p *Peers) Limit(w *Who, s *Surprises, d int) float64 {
	c := p.tables.judge(w)
	threshold, _ := p.budget.threshold(w, c != nil)
	if c == nil || s.Sum == 0 {
		return Uncalibrated{}.Limit(w, s, d) + (threshold-Threshold)/log10of2
	}
	need := sort.Search(sumBins, func(b int) bool { return load(&c.score[b]) >= threshold })
	if need == sumBins {
		return lowerBits[bins-1]
	}
	rest := s.Sum
	if s.Has(d) {
		rest -= float64(s.Evalues[d])
	}
	return p.tables.least(w, d, min(max(stillToCome*leastSums[need]-rest, leastLimit), evalue(threshold/log10of2)))
}

// stillToCome leaves a part of the sum to detectors that have not spoken yet.
const stillToCome = 0.85

// leastLimit is the e-value of one window in a hundred: less than that is
// ordinary, however odd all the rest is.
const leastLimit = 5

// Observe learns from an exchange that has ended. It returns the slow e-value
// of the identity's last window where that is over now, else 0.
func (p *Peers) Observe(w *Who, s *Surprises, o *Outcome) (slow float64) {
	if w.Key == 0 || !o.Accepted && !o.Alarm {
		return 0
	}
	var met meeting
	if o.Alarm {
		met = p.campaigns.note(w, s.top())
	}
	judged := s.Sum > 0 && p.tables.judge(w) != nil
	sh := p.slots.shard(w.Key)
	sh.mu.Lock()
	if e := p.claim(sh, w, o); e != nil {
		if o.Alarm {
			p.alarm(e, w, &met)
		}
		if judged {
			e.flags |= dayJudged
		}
		if o.Accepted {
			e.collect(s, o, p.lasting)
		}
		if judged {
			p.pay(e, o)
		}
		slow = float64(e.owed)
		e.owed = 0
	}
	p.sweep(sh, w.Now)
	sh.mu.Unlock()
	p.count(&met, w)
	return slow
}

// collect takes an exchange into its identity's window.
func (e *slot) collect(s *Surprises, o *Outcome, lasting uint32) {
	e.flags |= dayAccepted
	for ran := s.Ran; ran != 0; ran &= ran - 1 {
		d := bits.TrailingZeros32(ran)
		if b := uint8(max(binOf(s.Raw[d]), 1)); (e.ran|lasting)>>d&1 == 0 || b > e.most[d] {
			e.most[d] = b
		}
	}
	e.ran |= s.Ran
	e.score = max(e.score, uint8(min(max(o.Score, 0), MaxScore)*20))
	if s.Sum > 0 {
		e.sum = max(e.sum, uint16(sumBin(s.Sum))+1)
	}
}
