package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// replacements plays worlds and notes which baselines were replaced.
func (w *world) replacements() *[]Replacement {
	var all []Replacement
	w.scorer.replaced = func(r Replacement) {
		if r.Kind == profile.KindCaller {
			all = append(all, r)
		}
	}
	return &all
}

// alarmsOf is how many exchanges of the days were anomalous.
func (w *world) alarmsOf(days int, all map[string]habit) int {
	before := w.anomalous
	w.live(days, all)
	return w.anomalous - before
}

// A customer that has grown tenfold is told of for five days, and then that is
// what is usual for it.
func TestGrownCustomerIsAccepted(t *testing.T) {
	w := newWorld(t)
	told := w.replacements()
	w.live(14, map[string]habit{"acme": hourly(4)})
	for day := range 5 {
		if n := w.alarmsOf(1, map[string]habit{"acme": hourly(40)}); n == 0 {
			t.Errorf("no alarm on day %d", day)
		}
		if len(*told) > 0 && day < 4 {
			t.Fatalf("replaced on day %d: %+v", day, *told)
		}
	}
	w.live(1, map[string]habit{"acme": hourly(40)})
	if len(*told) != 1 || (*told)[0].By != ByTime || (*told)[0].Times < 5 || (*told)[0].Times > 20 {
		t.Fatalf("replaced: %+v", *told)
	}
	if n := w.alarmsOf(10, map[string]habit{"acme": hourly(40)}); n > 0 {
		t.Errorf("%d alarms in the ten days after", n)
	}
	if n := w.alarmsOf(1, map[string]habit{"acme": hourly(500)}); n == 0 {
		t.Error("twelve times as much again does not alarm")
	}
}

// What a thief does is not accepted, however long it goes on.
func TestThiefIsNotAccepted(t *testing.T) {
	f := func(name string, before, theft func(w *world, name string)) {
		t.Helper()
		w := newWorld(t)
		told := w.replacements()
		w.live(14, map[string]habit{"acme": hourly(4)})
		if before != nil {
			w.live(1, map[string]habit{"acme": before})
		}
		alarms := 0
		for range 9 {
			alarms += w.alarmsOf(1, map[string]habit{"acme": theft})
		}
		if len(*told) > 0 {
			t.Errorf("%s: replaced after %d alarms: %+v", name, alarms, *told)
		}
		if alarms == 0 && name != "denied" { // which is no evidence
			t.Errorf("%s: no alarm", name)
		}
	}
	// beside the owner, in the same hours.
	beside := func(n int, change func(*call)) habit {
		return func(w *world, name string) {
			hourly(4)(w, name)
			midnight := w.now
			for h := 8; h < 18; h++ {
				w.now = midnight.Add(time.Duration(h)*time.Hour + 45*time.Minute)
				for range n {
					c := call{caller: name, network: name, device: name, path: "/v1/orders?limit=10", records: 10, bytes: 1900}
					change(&c)
					w.do(c)
					w.now = w.now.Add(5 * time.Second)
				}
			}
			w.now = midnight
		}
	}
	strange := func(c *call) { c.network, c.device = "far", "curl" }
	f("from elsewhere", nil, beside(40, strange))
	f("from elsewhere, after a quiet day", beside(1, strange), beside(40, strange))
	f("denied", nil, beside(40, func(c *call) { c.end = Refused }))
	f("denied in part", nil, beside(40, func() func(c *call) {
		i := 0
		return func(c *call) {
			if i++; i%50 == 0 {
				c.end = Refused
			}
		}
	}()))
	f("cut", nil, beside(40, func(c *call) { c.end = Truncated }))
	f("a hundred times as much", nil, hourly(400))
	f("an hour a day", nil, func(w *world, name string) {
		hourly(4)(w, name)
		w.asks(name, w.now.Add(23*time.Hour+59*time.Minute), 900, time.Second)
	})
}

// A release that makes all clients ask ten times as often alarms for two days
// at most, and not for five.
func TestReleaseIsEverybodys(t *testing.T) {
	w := newWorld(t)
	told := w.replacements()
	before, after := map[string]habit{}, map[string]habit{}
	for i := range 30 {
		name := fmt.Sprint("client ", i)
		before[name], after[name] = hourly(3+i%4), hourly(10*(3+i%4))
	}
	w.live(14, before)
	if n := w.alarmsOf(1, after); n == 0 {
		t.Error("the release is not told of")
	}
	w.live(2, after)
	byCohort := 0
	for _, r := range *told {
		if r.By == ByCohort {
			byCohort++
		}
	}
	if byCohort != len(after) {
		t.Errorf("%d of %d replaced by the cohort's word: %+v", byCohort, len(after), *told)
	}
	if n := w.alarmsOf(2, after); n > 0 {
		t.Errorf("%d alarms after that", n)
	}
}

// One of thirty that does so is not everybody.
func TestOneOfThirtyIsNotEverybody(t *testing.T) {
	w := newWorld(t)
	told := w.replacements()
	all := map[string]habit{}
	for i := range 30 {
		all[fmt.Sprint("client ", i)] = hourly(3 + i%4)
	}
	w.live(14, all)
	all["client 7"] = hourly(60)
	w.live(4, all)
	if len(*told) > 0 {
		t.Errorf("replaced: %+v", *told)
	}
}

// hourly asks n times, ten seconds apart, in each of ten hours of the day.
func hourly(n int) habit {
	return func(w *world, name string) {
		for h := 8; h < 18; h++ {
			w.asks(name, w.now.Add(time.Duration(h)*time.Hour+time.Duration(w.rng.IntN(40))*time.Minute), n, 10*time.Second)
		}
	}
}

// An operator's word is enough for what was let pass, whatever its size.
func TestOperatorAccepts(t *testing.T) {
	w := newWorld(t)
	told := w.replacements()
	w.live(14, map[string]habit{"acme": hourly(4)})
	key := keyOf(profile.KindCaller, "acme")
	if _, err := w.scorer.Accept(key); err != ErrNothingRejected {
		t.Errorf("nothing to accept: %v", err)
	}
	if _, err := w.scorer.Accept(keyOf(profile.KindCaller, "nobody")); err != ErrNothingRejected {
		t.Errorf("nobody: %v", err)
	}
	w.live(1, map[string]habit{"acme": hourly(60)})
	r, err := w.scorer.Accept(key)
	if err != nil || len(*told) != 1 || (*told)[0] != r || r.By != ByOperator || r.Times < 5 {
		t.Fatalf("%+v, %v, told %+v", r, err, *told)
	}
	w.asks("acme", w.now, 1, 0)
	w.now = w.now.Add(2 * time.Hour) // the hour that was anomalous is over
	if n := w.alarmsOf(3, map[string]habit{"acme": hourly(60)}); n > 0 {
		t.Errorf("%d alarms after that", n)
	}
}

// Of a caller known for less than a week, what is more than usual is learned the
// second time that it comes: a nightly job of which the first night was late
// alarms twice, not for ever. In who is known for longer it goes on alarming.
func TestALateFirstNight(t *testing.T) {
	for _, c := range []struct {
		first int // day
		days  int // on which it alarms, of five
	}{{2, 2}, {9, 5}} {
		w, alarmed := newWorld(t), 0
		for day := range c.first + 5 {
			anomalous := w.anomalous
			for hour := range 24 {
				w.now = monday.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
				w.do(call{caller: "job", network: "n", device: "d", path: "/v1/status", bytes: 90, records: -1})
				if hour != 3 || day < c.first {
					continue
				}
				for i := range 1500 {
					w.now = w.now.Add(200 * time.Millisecond)
					w.do(call{caller: "job", network: "n", device: "d", path: fmt.Sprintf("/v1/orders/%d", 1000+97*i), bytes: 900, records: -1})
				}
			}
			if w.anomalous > anomalous {
				alarmed++
			}
		}
		if alarmed > c.days || alarmed == 0 || c.first > 7 && alarmed < c.days {
			t.Errorf("a job from day %d on: %d of 5 nights alarm, want %d", c.first, alarmed, c.days)
		}
	}
}
