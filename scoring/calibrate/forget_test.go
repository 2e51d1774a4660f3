package calibrate

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// Who is forgotten is in no snapshot, neither with a window nor in a campaign,
// which goes on for the others; a network that is forgotten has had none.
func TestForget(t *testing.T) {
	const network, device, elsewhere = 0xABCD_EF01_2345_6789, 0x1122_3344_5566_7788, 0x99AA_BBCC_DDEE_FF00
	p := New(testConfig)
	now := uint32(testMeta.Now.Unix())
	who := func(id int, places ...uint64) *Who {
		w := &Who{Key: hash(id), Now: now}
		copy(w.Places[:], places)
		return w
	}
	odd := &Surprises{}
	odd.Run(0, 1)
	odd.Run(1, 20)
	for id := range 6 {
		p.Observe(who(id, network, device), odd, &Outcome{Accepted: true, Alarm: true, Score: 5})
		p.Observe(who(id+100, elsewhere), odd, &Outcome{Accepted: true, Alarm: true, Score: 5})
	}
	knows := func(value uint64) int {
		return bytes.Count(p.Encode(testMeta), binary.LittleEndian.AppendUint64(nil, value))
	}
	meets := func(places ...uint64) bool { return p.campaigns.meets(who(7, places...), 1) }
	if knows(hash(2)) != 3 || !meets(network) || !meets(0, device) || !meets(elsewhere) {
		t.Fatalf("2 is in %d places before", knows(hash(2)))
	}
	days := p.Stats().Realised.Days
	p.Forget(hash(2), 0)
	for id := range 6 {
		want := 3
		if id == 2 {
			want = 0
		}
		if got := knows(hash(id)); got != want {
			t.Errorf("%d is in %d places, want %d", id, got, want)
		}
	}
	if !meets(network) || !meets(0, device) {
		t.Error("the campaign is over")
	}
	if got := p.Stats().Realised.Days; got != days {
		t.Errorf("%v identity-days, and %v before: nothing of it was judged", got, days)
	}
	q, _, err := Decode(p.Encode(testMeta), testConfig, testMeta.KeyID)
	if err != nil || !q.campaigns.meets(who(7, network), 1) {
		t.Errorf("after a restart: %v", err)
	}

	// Back again it is one more member, and no second alert.
	met := p.campaigns.note(who(2, network), 1)
	if !met.member || met.began {
		t.Errorf("%+v", met)
	}
	p.Forget(hash(99), network)
	if meets(network) || !meets(0, device) || !meets(elsewhere) {
		t.Errorf("of the network %v, the device %v, another %v", meets(network), meets(0, device), meets(elsewhere))
	}
	p.Forget(hash(99), device)
	if meets(0, device) {
		t.Error("the device's campaign goes on")
	}
}

// What was found of who is forgotten in the day that is open teaches nothing, not
// even what lasts, which a day teaches once it is over.
func TestForgetTeachesNothing(t *testing.T) {
	f := func(forget bool) float64 {
		p := New(Config{Detectors: crowdNames, Lasting: []int{3}, Budget: Budget{PerIdentityDay: 0.001}})
		now := uint32(testMeta.Now.Unix()) / dayWidth * dayWidth
		w, s := &Who{Key: hash(1), Now: now}, &Surprises{}
		s.Run(3, 10)
		p.Observe(w, s, &Outcome{Accepted: true})
		w.Now += windowWidth // the window is over, the day is not
		p.Observe(w, s, &Outcome{Accepted: true})
		if forget {
			p.Forget(w.Key, 0)
		}
		w.Now += dayWidth
		p.Observe(w, s, &Outcome{Accepted: true})
		return p.tables.columns[poolOf(0)*crowdDetectors+3].n
	}
	if kept, forgotten := f(false), f(true); kept != 1 || forgotten != 0 {
		t.Errorf("a day taught %v, and %v of who was forgotten", kept, forgotten)
	}
}

// The day of who is forgotten keeps the controller's books: what was paid for it
// when it alarmed is the first half of a step, and this is the second.
func TestForgetClosesTheDay(t *testing.T) {
	p := New(testConfig)
	c := newCrowd(17, p)
	for range 4 {
		c.day(400, 12, 2, nil)
	}
	s, w := &Surprises{}, &Who{Key: hash(100_000), Cohort: 1, Level: 2, Now: c.now}
	c.find(1, s)
	p.Score(w, s)
	p.Observe(w, s, &Outcome{Accepted: true, Alarm: true, Score: 11})
	paid, days, alerts := p.budget.groups[1].get(), p.Stats().Realised.Days, p.Stats().Realised.Alerts
	p.Forget(w.Key, 0)
	now := p.Stats().Realised
	if got := p.budget.groups[1].get(); !(got < paid) || now.Days != days+1 || now.Alerts != alerts+1 {
		t.Errorf("the threshold was %v and is %v; %d days and %d alerts more", paid, got, now.Days-days, now.Alerts-alerts)
	}
	p.Forget(w.Key, 0)
	if again := p.Stats().Realised; again.Days != now.Days {
		t.Error("forgotten twice, it was closed twice")
	}
}
