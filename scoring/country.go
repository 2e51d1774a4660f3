package scoring

import "github.com/wonted-project/wonted/scoring/window"

// country: it comes from a country it seldom or never came from. Whoever knows
// where an address lies sets Exchange.Country; without it, nothing is asked.
type country struct{}

func (country) judge(l *look) {
	id := countryID(l.ex)
	if id == 0 || !l.mature {
		return
	}
	v := drawnOfSmall(l.habits.Countries[:], id)
	if v.known == 0 {
		return // nobody told where it was before
	}
	l.context.country = l.place(Country, "countries", v, l.habits.CountryNovelty, l.cohort.newCountry)
}

func (country) learn(l *look, weight float64) {
	id := countryID(l.ex)
	slots := window.SmallSlots(l.habits.Countries[:])
	if id == 0 || !l.session && slots.Weight(id) > 0 {
		return
	}
	slots.Decay(decaySession)
	n := &l.habits.CountryNovelty
	n.Decay(decaySession)
	n.Observe(!slots.Touch(id, weight) && n.N > 0, weight)
}

// countryID is the two letters, in either case; 0 where they are not two.
func countryID(ex *Exchange) uint16 {
	if len(ex.Country) != 2 {
		return 0
	}
	return uint16(ex.Country[0]|0x20)<<8 | uint16(ex.Country[1]|0x20)
}
