package calibrate

import (
	"math"
	"testing"
)

// own is what a detector's surprise is worth in the cell of cohort 1, levels-1.
func own(p *Peers, d int, raw float64) float64 {
	w := &Who{Key: 1, Cohort: 1, Level: levels - 1}
	i := cellOf(w)*p.tables.detectors + d
	return 2 * math.Log2(2*load(&p.tables.values[i*bins+binOf(raw)]))
}

// What a few identities do day by day, far beyond everybody else, stays rare;
// what as many do as are believed becomes known, and bends nothing else.
func TestRareIsWhatFewDo(t *testing.T) {
	// All of cohort 1, some of which retry without end for a window, every so many days.
	after := func(storms, every int) *Peers {
		p := newPeers()
		c := newCrowd(17, p)
		c.odd = func(id, d int) float64 {
			if day := int(c.now / 86400); d == 0 && id < 2*storms && id%2 == 0 && c.now%86400 < 600 && (id/2+day)%every == 0 {
				return 45
			}
			return 0
		}
		for range 8 {
			c.day(500, 20, levels-1, nil)
		}
		return p
	}
	quiet, two, thirty := after(0, 1), after(2, 1), after(30, 8)
	for _, raw := range []float64{6, 8, 10} {
		q, s := own(quiet, 0, raw), own(thirty, 0, raw)
		if math.Abs(q-s) > 1.5 {
			t.Errorf("%v bits are worth %.1f, and %.1f where some retry without end", raw, q, s)
		}
	}
	if q, s := own(quiet, 0, 40), own(two, 0, 40); s < q-3 {
		t.Errorf("40 bits are worth %.1f, and %.1f after two identities did so every day", q, s)
	}
	n := thirty.tables.columns[cellOf(&Who{Cohort: 1, Level: levels - 1})*crowdDetectors].n
	if s, share := own(thirty, 0, 40), math.Log2(n/30); s > share+0.5 || s < share-1.5 {
		t.Errorf("40 bits are worth %.1f where thirty of %.0f windows had more, which is %.1f", s, n, share)
	}
}

// An identity teaches one rare window in a fortnight, whatever it does.
func TestOneRareLessonAFortnight(t *testing.T) {
	e := &slot{}
	lessons := 0
	for day := uint16(1000); day < 1000+70; day++ {
		e.day = day
		if !e.taughtLately() {
			e.taught = e.today()
			lessons++
		}
	}
	if lessons != 5 {
		t.Errorf("%d lessons in ten weeks", lessons)
	}
}

// Of what lasts for hours a day counts once: an identity that is far out in all
// of its windows is one of so many identities, and not one of as few windows.
func TestLastingCountsByTheDay(t *testing.T) {
	cfg := Config{Detectors: crowdNames, Lasting: []int{3}, Budget: Budget{PerIdentityDay: 0.001}}
	p := New(cfg)
	c := newCrowd(19, p)
	const identities, days = 1000, 6
	c.odd = func(id, d int) float64 {
		if d == 3 && id < 20 {
			return 30
		}
		return 0
	}
	for range days {
		c.day(identities, 20, levels-1, nil)
	}
	c.day(identities, 1, levels-1, nil) // closes the last day
	lasting := &p.tables.columns[poolOf(levels-1)*crowdDetectors+3]
	if lasting.n > identities*(days+1) || lasting.n < identities*days*0.8 /* half are forgotten in a fortnight */ {
		t.Errorf("%.0f samples of %d identity-days", lasting.n, identities*days)
	}
	if ran := p.Stats().Detectors[3].Ran; ran > identities*(days+1) || ran < identities*(days-2) {
		t.Errorf("it is said to have run %d times in %d identity-days", ran, identities*days)
	}
	if s := own(p, 3, 30); math.Abs(s-math.Log2(identities/20)) > 1 {
		t.Errorf("what one identity in fifty has all day is worth %.1f bits", s)
	}
	// Restored, the day that is open goes on.
	q, _, err := Decode(p.Encode(testMeta), cfg, testMeta.KeyID)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.slots.shards {
		for j := range p.slots.shards[i].slot {
			if a, b := p.slots.shards[i].slot[j].most[3], q.slots.shards[i].slot[j].most[3]; a != b {
				t.Fatalf("%v, and loaded %v", a, b)
			}
		}
	}
}

// No table attests less than one in 10^8.
func TestEvaluesAreBounded(t *testing.T) {
	if e := evalue(1000); e != evalue(8/log10of2) || e < 4999 || e > 5001 {
		t.Errorf("at most %v", e)
	}
}
