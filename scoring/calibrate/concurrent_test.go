package calibrate

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// Many goroutines judge, learn, alarm, save and look at the same Peers; the race
// detector watches.
func TestConcurrentPeers(t *testing.T) {
	p := New(testConfig)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			c := &crowd{rng: rand.New(rand.NewPCG(uint64(g), 9)), peers: p, now: 20000 * 86400}
			s := &Surprises{}
			for i := range 3000 {
				c.find(i%300, s)
				if i%500 == 0 {
					s.Run(0, 50)
				}
				w := &Who{Key: hash(i % 300), Cohort: uint8(i % 2), Level: 2, Now: c.now + uint32(i*60), Places: [3]uint64{uint64(1 + i%3), 0, 5}}
				v := p.Score(w, s)
				p.Limit(w, s, 0)
				p.Observe(w, s, &Outcome{Accepted: true, Score: v.Score, Alarm: v.Score >= v.Threshold})
				if i%700 == 0 {
					p.Stats()
					p.Encode(testMeta)
				}
			}
		})
	}
	wg.Wait()
	if st := p.Stats(); st.Windows == 0 {
		t.Errorf("nothing was learned: %+v", st)
	}
}
