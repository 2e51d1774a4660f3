package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// counts says how often each action was reported.
type counts map[string]int

func actions(reports []*policy.Report) counts {
	c := counts{}
	for _, r := range reports {
		c[r.Action]++
	}
	return c
}

// stopped is how many would not have passed.
func (c counts) stopped() int {
	n := 0
	for action, times := range c {
		if action != policy.Allow.String() {
			n += times
		}
	}
	return n
}

func (c counts) String() string {
	var parts []string
	for action, n := range c {
		parts = append(parts, fmt.Sprintf("%s %d", action, n))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// patience is how long the demo waits for a report: wonted writes it once the
// exchange is over, which can be after the client has seen its end.
const patience = 3 * time.Second

// awaitReports polls the child's reports until enough says so or patience
// ends, and returns those that there are.
func (c *child) awaitReports(ctx context.Context, enough func([]*policy.Report) bool) []*policy.Report {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		reports := c.reported()
		if enough(reports) || ctx.Err() != nil {
			return reports
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}
