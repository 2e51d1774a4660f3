package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// crowd is everybody else: the customers who are awake at this hour, with a
// marketing wave in the shops and the nightly batch, as the history has them.
type crowd struct {
	mu        sync.Mutex
	seen      map[*visitor]bool   // customers that called
	disturbed map[*visitor]string // customers that were not served in full, and how
	tally     tally
}

func newCrowd() *crowd { return &crowd{seen: map[*visitor]bool{}, disturbed: map[*visitor]string{}} }

// waveTimes is how many times their usual the shops call in the wave.
const waveTimes = 3

// awakeVisits are the visits of one moment of this night.
func awakeVisits(visitors []*visitor, now time.Time) [][]event {
	var visits [][]event
	for _, v := range visitors {
		switch v.Habit {
		case shop:
			visits = append(visits, v.visit(now, waveTimes))
		case system, batch:
			visits = append(visits, v.visit(now, 1))
		}
	}
	return visits
}

// add notes what a customer saw.
func (c *crowd) add(e event, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[e.Who] = true
	c.tally.add(o)
	if _, noted := c.disturbed[e.Who]; noted {
		return
	}
	switch {
	case o.Err != nil:
		c.disturbed[e.Who] = fmt.Sprintf("%s: %v", short(e.Path), o.Err)
	case !o.fine():
		c.disturbed[e.Who] = fmt.Sprintf("%s: status %d, broken off: %v", short(e.Path), o.Status, o.Broken)
	}
}

// play lets every visit run at its own pace, all at the same time, and returns
// when all are over.
func (c *crowd) play(ctx context.Context, base string, visits [][]event) {
	var all sync.WaitGroup
	for _, visit := range visits {
		all.Go(func() {
			own := newClient(base)
			defer own.close()
			for _, e := range visit {
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Until(e.At)):
				}
				c.add(e, own.do(ctx, e.request))
			}
		})
	}
	all.Wait()
}

// harm is who was disturbed, of how many.
type harm struct {
	Disturbed int      `json:"disturbed"`
	Customers int      `json:"customers"`
	Requests  int      `json:"requests"`
	Who       []string `json:"who,omitempty"`
}

func (c *crowd) harm() harm {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := harm{Disturbed: len(c.disturbed), Customers: len(c.seen), Requests: c.tally.Requests}
	for who, how := range c.disturbed {
		h.Who = append(h.Who, who.Name+" ("+how+")")
	}
	slices.SortFunc(h.Who, strings.Compare)
	return h
}
