package bench

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ring is the wonted behind one Envoy. Mostly it is one; several share the
// callers out.
type ring []*wonted

// replicas are where all but the first listen.
func (r ring) replicas() (all []string) {
	for _, w := range r[1:] {
		all = append(all, w.listen)
	}
	return all
}

// metrics are those of all.
func (r ring) metrics(ctx context.Context) (all metrics, err error) {
	for _, w := range r {
		m, err := w.metrics(ctx)
		if err != nil {
			return "", err
		}
		all += m
	}
	return all, nil
}

// metrics are all of a wonted's at one moment, or of several, one after the
// other.
type metrics string

func (w *wonted) metrics(ctx context.Context) (metrics, error) {
	text, err := w.get(ctx, "/metrics")
	if err != nil {
		return "", fmt.Errorf("%s: %w", w.name, err)
	}
	return metrics(text), nil
}

// sum adds up the series of a metric; ok is false where there is none.
func (m metrics) sum(name string) (sum float64, ok bool) {
	for lines := bufio.NewScanner(strings.NewReader(string(m))); lines.Scan(); {
		head, value, _ := strings.Cut(lines.Text(), " ")
		if head != name && !strings.HasPrefix(head, name+"{") {
			continue
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			sum, ok = sum+n, true
		}
	}
	return sum, ok
}

// judged is how many exchanges have been judged so far.
const judged = "wonted_exchanges_total"

// settleWithin is how long entries of the access log may take after the answer.
const settleWithin = 5 * time.Second

// settle waits until as many exchanges as want have been judged since wonted
// started, or no more come, and returns what it has found then.
func (r ring) settle(ctx context.Context, want float64) (m metrics, err error) {
	until := time.Now().Add(settleWithin)
	for {
		if m, err = r.metrics(ctx); err != nil {
			return m, err
		}
		n, ok := m.sum(judged)
		if !ok {
			return m, fmt.Errorf("%s has no metric %s", r[0].name, judged)
		}
		if n >= want || time.Now().After(until) {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return m, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
