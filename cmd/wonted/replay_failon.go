package main

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// condition is one --fail-on, as "denied > 0.1%": a replay in which it holds
// ends with exitHolds.
type condition struct {
	text   string
	metric string
	op     string   // ">", ">=" or "<"
	bound  *big.Rat // exact: 7 of 1,000 are 0.7%, not a little less
	unit   string   // "": exchanges, "%": of them, "callers"
}

// metrics are what a condition may be about; where two policies are compared it
// is about B, or about how often they differ.
var metrics = []string{"denied", "throttled", "challenged", "anomalous"}

var (
	conditionForm = regexp.MustCompile(`^\s*([A-Za-z_]+)\s*([<>=!]+)\s*([^\s%A-Za-z]+)\s*(%|[A-Za-z]*)\s*$`)
	decimal       = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,9})?$`)
)

func parseConditions(texts []string, comparing bool) ([]condition, error) {
	var all []condition
	metrics := metrics
	if comparing {
		metrics = append(slices.Clip(metrics), "differ")
	}
	for _, text := range texts {
		c, err := parseCondition(text, metrics)
		if err != nil {
			return nil, misuse("it is METRIC OP NUMBER, as in 'denied > 0.1%' (of exchanges), 'denied >= 20' (exchanges) or 'denied > 3 callers'; "+
				"METRIC is one of "+strings.Join(metrics, ", ")+"; OP is >, >= or <", "--fail-on %q: %w", text, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func parseCondition(text string, metrics []string) (c condition, err error) {
	m := conditionForm.FindStringSubmatch(text)
	if m == nil {
		return c, errors.New("it cannot be read")
	}
	c = condition{text: strings.TrimSpace(text), metric: m[1], op: m[2], unit: m[4]}
	switch {
	case c.metric == "differ" && !slices.Contains(metrics, c.metric):
		return c, errors.New("it takes two policies to differ: --policy A --policy B")
	case !slices.Contains(metrics, c.metric):
		return c, fmt.Errorf("there is no metric %q; %s", c.metric, didYouMean(c.metric, metrics, ""))
	case c.op != ">" && c.op != ">=" && c.op != "<":
		return c, fmt.Errorf("%q does not compare", c.op)
	case !decimal.MatchString(m[3]):
		return c, fmt.Errorf("%q is no number", m[3])
	}
	c.bound, _ = new(big.Rat).SetString(m[3])
	switch c.unit {
	case "", "callers":
	case "caller":
		c.unit = "callers"
	case "%":
		if c.bound.Cmp(big.NewRat(100, 1)) > 0 {
			return c, fmt.Errorf("%s%% is more than all exchanges", m[3])
		}
	default:
		return c, fmt.Errorf("%q is no unit", c.unit)
	}
	return c, nil
}

// holding is the error of a replay in which conditions hold, nil where none does.
func holding(all []condition, t *tally) error {
	var said []string
	for _, c := range all {
		if value, holds := c.holds(t); holds {
			said = append(said, fmt.Sprintf("%s: %s", c.text, value))
		}
	}
	if said == nil {
		return nil
	}
	return &failure{err: fmt.Errorf("replay: --fail-on %s", strings.Join(said, "\n--fail-on ")), status: exitHolds}
}

// holds says how much was met with, and whether that is what the condition is about.
func (c *condition) holds(t *tally) (value string, holds bool) {
	n, callers := t.metric(c.metric)
	got := big.NewRat(int64(n), 1)
	value = fmt.Sprintf("%s of %s", grouped(n), plural(t.exchanges, "exchange"))
	switch c.unit {
	case "%":
		got = big.NewRat(100*int64(n), int64(max(t.exchanges, 1)))
		percent, _ := got.Float64()
		value += fmt.Sprintf(", %.3g %%", percent)
	case "callers":
		got = big.NewRat(int64(callers), 1)
		value = fmt.Sprintf("%s of %s", grouped(callers), plural(len(t.identities), "caller"))
	}
	switch order := got.Cmp(c.bound); c.op {
	case ">":
		return value, order > 0
	case ">=":
		return value, order >= 0
	default:
		return value, order < 0
	}
}

// metric counts the exchanges that a condition is about, and whose they are.
func (t *tally) metric(name string) (exchanges, callers int) {
	var met func(*seen) bool
	switch name {
	case "anomalous":
		exchanges, met = t.anomalous, func(s *seen) bool { return s.anomalous }
	case "differ":
		exchanges, met = t.differ, func(s *seen) bool { return s.differs }
	}
	for _, a := range actionsDone {
		if a.done == name {
			exchanges, met = t.actions[a.action], func(s *seen) bool { return s.met[a.action] }
		}
	}
	for _, s := range t.identities {
		if met(s) {
			callers++
		}
	}
	return exchanges, callers
}
