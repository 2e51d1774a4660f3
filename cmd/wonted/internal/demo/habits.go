package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// historyDays is how long wonted has known the customers.
const historyDays = 5

// event is a request at a time.
type event struct {
	At  time.Time
	Who *visitor
	request
}

// visitor makes the visits of one customer: what is asked for, and in what
// rhythm. It remembers the orders it has seen, as people come back to them.
type visitor struct {
	customer
	rng    *rand.Rand
	orders int   // how many orders of its own it has looked at
	recent []int // their ids, latest last
}

func newVisitor(c customer) *visitor {
	return &visitor{customer: c, rng: rand.New(rand.NewPCG(20_240_229, uint64(c.index)))}
}

// visit is one visit that starts at at. A marketing wave makes times of three:
// the same calls, three times as many.
func (v *visitor) visit(at time.Time, times int) []event {
	machine := v.rng.IntN(3)
	var events []event
	call := func(pause time.Duration, path string) {
		at = at.Add(pause)
		events = append(events, event{at, v, v.by(path, machine)})
	}
	list := fmt.Sprintf("/v1/orders?limit=%d", v.Page)
	switch v.Habit {
	case office: // a person leafs through the list and opens some orders
		for range (8 + v.rng.IntN(10)) * times {
			call(v.seconds(4, 40), list)
			for range v.rng.IntN(3) {
				call(v.seconds(3, 15), v.order())
			}
		}
	case system, shop: // a program asks for what is new and fetches it
		for range times {
			call(v.seconds(0.2, 1), list)
			for range 1 + v.rng.IntN(3) {
				call(v.seconds(0.1, 0.5), v.order())
			}
			if v.rng.IntN(3) == 0 {
				call(v.seconds(0.1, 0.5), fmt.Sprintf("/v1/invoices/%d", v.own(v.orders)))
			}
		}
	case fleet: // machines ask how the orders on their lorries are doing
		for range 200 + v.rng.IntN(600) {
			call(v.seconds(0.01, 0.1), v.status())
		}
	case batch: // a program reads the export, a warehouse at a time
		for warehouse := range 8 {
			call(v.seconds(0.3, 0.9), fmt.Sprintf("/v1/export?warehouse=%d", warehouse+1))
		}
	}
	return events
}

// order is the path of an order of the customer's own: for a person more often
// one it has opened lately, for a program always the next.
func (v *visitor) order() string {
	if v.Habit == office && len(v.recent) > 3 && v.rng.IntN(10) < 8 {
		return fmt.Sprintf("/v1/orders/%d", v.recent[v.rng.IntN(len(v.recent))])
	}
	v.orders++
	id := v.own(v.orders)
	v.recent = append(v.recent, id)
	if len(v.recent) > 8 {
		v.recent = slices.Delete(v.recent, 0, 1)
	}
	return fmt.Sprintf("/v1/orders/%d", id)
}

// status is the path of one of the few orders that a fleet carries.
func (v *visitor) status() string { return fmt.Sprintf("/v1/orders/%d", v.own(v.rng.IntN(12))) }

// own is the id of the customer's nth order: everybody's orders are numbered
// through.
func (v *visitor) own(n int) int { return firstOrder + n*len(cast) + v.index }

// days returns the customer's visits in the historyDays before now.
func (v *visitor) days(now time.Time) []event {
	var events []event
	start := now.AddDate(0, 0, -historyDays)
	switch v.Habit {
	case office:
		for d := range historyDays + 1 {
			morning := midnight(start.AddDate(0, 0, d)).Add(9 * time.Hour)
			for h := range 9 { // a visit in most hours from nine to six
				if v.rng.IntN(8) > 0 {
					events = append(events, v.visit(morning.Add(time.Duration(h)*time.Hour+v.seconds(0, 1800)), 1)...)
				}
			}
		}
	case system, shop:
		for at := start.Add(v.seconds(0, 900)); at.Before(now); at = at.Add(v.seconds(840, 960)) {
			times := 1
			if v.Habit == shop && inWave(at, now) {
				times = 3
			}
			events = append(events, v.visit(at, times)...)
		}
	case fleet: // three times a day and at this hour
		for d := range historyDays {
			for h := range 3 {
				at := start.AddDate(0, 0, d).Add(time.Duration(h) * 8 * time.Hour)
				events = append(events, v.visit(at.Add(v.seconds(0, 3600)), 1)...)
			}
		}
	case batch: // at this hour, every night
		for d := range historyDays {
			events = append(events, v.visit(start.AddDate(0, 0, d).Add(v.seconds(0, 240)), 1)...)
		}
	}
	return slices.DeleteFunc(events, func(e event) bool {
		return e.At.Before(start) || e.At.After(now.Add(-10*time.Minute))
	})
}

// inWave tells whether a marketing campaign ran: two of them are in the
// history, three hours each, four nights and two nights ago.
func inWave(at, now time.Time) bool {
	for _, days := range []int{4, 2} {
		since := at.Sub(now.AddDate(0, 0, -days).Add(-90 * time.Minute))
		if since >= 0 && since < 3*time.Hour {
			return true
		}
	}
	return false
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// seconds draws a duration between two numbers of seconds.
func (v *visitor) seconds(least, most float64) time.Duration {
	return time.Duration((least + v.rng.Float64()*(most-least)) * float64(time.Second))
}

// inOrder merges the events of many customers into one sequence in time.
func inOrder(events []event) []event {
	slices.SortStableFunc(events, func(a, b event) int { return a.At.Compare(b.At) })
	return events
}
