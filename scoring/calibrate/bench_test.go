package calibrate

import "testing"

// One exchange among twelve thousand windows: judged and observed.
func BenchmarkScoreObserve(b *testing.B) {
	p := newPeers()
	c := newCrowd(5, p)
	c.day(1000, 12, 2, nil)
	var found [64]Surprises
	for i := range found {
		c.find(i, &found[i])
	}
	i, o := 0, &Outcome{Accepted: true}
	w := &Who{Cohort: 1, Level: 2}
	for b.Loop() {
		w.Key, w.Now = hash(i%1000), c.now+uint32(i/100)
		s := &found[i%64]
		o.Score = p.Score(w, s).Score
		p.Observe(w, s, o)
		i++
	}
}
