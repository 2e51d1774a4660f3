package demo

import (
	"slices"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// few is a part of the cast in which every habit occurs, for tests that play
// many histories.
func few() []customer {
	var part []customer
	perHabit := map[habit]int{}
	for _, c := range customers() {
		perHabit[c.Habit]++
		if c.Habit != fleet && perHabit[c.Habit] == 1 {
			part = append(part, c)
		}
	}
	return part
}

// tell plays the history before now and the crime after it, all in event time,
// and returns what the live scene asks for.
func tell(t *testing.T, utc time.Time, of []customer) *scene {
	t.Helper()
	zone, _ := night(utc)
	now := utc.In(zone)
	past, err := playHistory(t.Context(), now, of)
	if err != nil {
		t.Fatal(err)
	}
	defer past.line.store.Close()
	past.line.gate.SetMode(policy.Enforce)

	others := newCrowd()
	for _, e := range inOrder(slices.Concat(awakeVisits(past.visitors, now)...)) {
		others.add(e, past.line.do(e.request, e.At))
		now = e.At
	}
	send := func(r request) outcome {
		now = now.Add(10 * time.Millisecond)
		return past.line.do(r, now)
	}
	owner := past.visitors[victim].customer
	strange := walk(send, owner, asItself, strangeTry)
	walked := walk(send, owner, asOwner(owner), walkLength)
	pulled := pull(send, owner, asOwner(owner))

	s := &scene{Name: "enforce"}
	expectChallenged(s, strange)
	expectThrottled(s, walked)
	expectCut(s, pulled)
	expectUndisturbed(s, others.harm())
	return s
}

// The story happens as told at every hour of a week: the demo is run whenever
// somebody has the time. Of those hours at which night() chooses the same local
// hour of the same day of the week one is told, since everything in the story
// follows local time.
func TestStoryAtEveryHourOfAWeek(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 14, 30, 0, time.UTC)
	cast, told := few(), map[string]bool{}
	for h := range 7 * 24 {
		now := monday.Add(time.Duration(h) * time.Hour)
		zone, _ := night(now)
		local := now.In(zone).Format("Mon15h")
		if told[local] {
			continue
		}
		told[local] = true
		t.Run(local, func(t *testing.T) {
			for _, e := range tell(t, now, cast).failed() {
				t.Error(e)
			}
		})
	}
	t.Logf("%d different nights", len(told))
}

// With everybody, and across the end of an hour.
func TestStoryWithTheWholeCast(t *testing.T) {
	for _, e := range tell(t, time.Date(2026, 3, 7, 2, 59, 58, 0, time.UTC), customers()).failed() {
		t.Error(e)
	}
}
