package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// counts says how often each action was reached.
type counts map[string]int

// sum is of how many exchanges.
func (c counts) sum() int {
	n := 0
	for _, times := range c {
		n += times
	}
	return n
}

// stopped is how many would not have passed.
func (c counts) stopped() int { return c.sum() - c[policy.Allow.String()] }

func (c counts) String() string {
	var parts []string
	for action, n := range c {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", action, n))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// decisionSeries is one line of the metric that counts what was decided.
var decisionSeries = regexp.MustCompile(`^wonted_decisions_total\{action="([a-z]+)",mode="([a-z]+)"\} ([0-9.e+]+)$`)

// decisions reads from wonted's metrics what it has decided in a mode, once it
// has decided about n exchanges. The log would not do: it is bounded to so many
// reports a second.
func (s *stage) decisions(ctx context.Context, mode policy.Mode, n int) (counts, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c, err := scrape(ctx, "http://"+s.admin+"/metrics", mode)
		if err == nil && c.sum() >= n {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return c, errors.Join(err, fmt.Errorf("wonted's metrics show %d decisions where %d were needed", c.sum(), n))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func scrape(ctx context.Context, url string, mode policy.Mode) (counts, error) {
	c := counts{}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return c, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		m := decisionSeries.FindStringSubmatch(lines.Text())
		if m == nil || m[2] != mode.String() {
			continue
		}
		n, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return c, err
		}
		c[m[1]] = int(n)
	}
	return c, lines.Err()
}
