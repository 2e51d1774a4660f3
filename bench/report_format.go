package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// none stands where a figure cannot be known.
const none = "–"

// digits3 writes x with three digits, or all before the point where there are
// more: noise takes the rest.
func digits3(x float64) string {
	switch size := math.Abs(x); {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return none
	case size >= 99.95:
		return thousands(int64(math.Round(x)))
	case size >= 9.995:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case size >= 0.9995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	default:
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
}

// ratio writes a quotient with two digits after the point, three below 0.01.
func ratio(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return none
	case x >= 99.5:
		return thousands(int64(math.Round(x)))
	case x >= 9.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x >= 0.00995 || x == 0:
		return strconv.FormatFloat(x, 'f', 2, 64)
	default:
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
}

// percent writes a share: 0.123 is "12.3%".
func percent(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return none
	}
	if 100*math.Abs(x) >= 9.95 {
		return strconv.FormatFloat(100*x, 'f', 0, 64) + "%"
	}
	return strconv.FormatFloat(100*x, 'f', 1, 64) + "%"
}

// thousands groups digits: 1234567 is "1,234,567".
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// within writes a ratio and its interval, "0.42 0.40–0.45"; a wide one leads
// with "~", and without one the ratio stands alone after "~".
func within(e Estimate) string { return strings.TrimSpace(hedged(e) + " " + interval(e)) }

// hedged writes a ratio, after "~" where it is a hint.
func hedged(e Estimate) string {
	if e.Known() && e.Wide() {
		return "~" + ratio(e.Median)
	}
	return ratio(e.Median)
}

// interval writes the bounds of a ratio, nothing where there are none.
func interval(e Estimate) string {
	if !e.Bounded() {
		return ""
	}
	return ratio(e.Low) + "–" + ratio(e.High)
}

// swing is half of what lies between the least and the greatest round, as a
// share of the median.
func swing(e Estimate) string {
	if !e.Known() || e.Rounds < 2 || e.Median == 0 {
		return none
	}
	return percent((e.High - e.Low) / 2 / e.Median)
}

// what says in a few words what a variant does for its price: whether it looks
// into bodies, what it remembers, and how it comes to a decision.
func (v Variant) what() string {
	if v.State == "" || v.State == "unknown" {
		return none
	}
	var parts []string
	if v.Payload {
		parts = append(parts, "bodies")
	}
	for _, part := range []string{v.State, v.Decision} {
		if part != "" && part != "none" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// what says what a cell is, in the words of a load.
func (c *Cell) what() string {
	var text strings.Builder
	if c.Rate > 0 {
		fmt.Fprintf(&text, "%s/s due, open loop", thousands(int64(math.Round(c.Rate))))
	} else {
		fmt.Fprintf(&text, "%d in flight, closed loop", c.Concurrency)
	}
	if c.Think > 0 {
		fmt.Fprintf(&text, " of clients that think for %s ms", digits3(c.Think))
	}
	fmt.Fprintf(&text, ", %s, %s", plural(c.Identities, "caller"), c.Protocol)
	if c.Scenario == ScenarioBodies {
		text.WriteString(", 100 KB of JSON each")
	}
	if c.GOMAXPROCS > 0 {
		fmt.Fprintf(&text, ", GOMAXPROCS=%d", c.GOMAXPROCS)
	}
	return text.String()
}

// turns is how many rounds the cell's variants have: "5 rounds", "3 to 5 rounds".
func (c *Cell) turns() string {
	least, most := 0, 0
	for i, r := range c.Results {
		n := len(r.Rounds)
		if i == 0 || n < least {
			least = n
		}
		most = max(most, n)
	}
	switch {
	case least < most:
		return fmt.Sprintf("%d to %d rounds", least, most)
	case most == 1:
		return "1 round"
	}
	return fmt.Sprintf("%d rounds", most)
}

// what names the machine in one line.
func (m Machine) what() string {
	parts := []string{m.CPU, plural(m.Cores, "core")}
	if m.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%.1f GiB", float64(m.Memory)/(1<<30)))
	}
	parts = append(parts, m.Kernel, m.Go)
	if m.Envoy != "" && m.EnvoyCores > 0 {
		parts = append(parts, "Envoy "+m.Envoy+" of "+plural(m.EnvoyCores, "worker"))
	} else if m.Envoy != "" {
		parts = append(parts, "Envoy "+m.Envoy)
	}
	if m.GOMAXPROCS > 0 {
		parts = append(parts, fmt.Sprintf("processors at GOMAXPROCS=%d", m.GOMAXPROCS))
	}
	if m.Wonted != "" {
		parts = append(parts, "wonted "+m.Wonted)
	}
	if m.Container {
		parts = append(parts, "in a container")
	}
	if m.Busy != "" {
		parts = append(parts, m.Busy)
	}
	var given []string
	for _, p := range parts {
		if p != "" {
			given = append(given, p)
		}
	}
	return strings.Join(given, ", ")
}

// plural counts things: "1 core", "2 cores".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(int64(n)) + " " + thing + "s"
}

// lasted is the length of the run to the second.
func (r *Report) lasted() string {
	return time.Duration(r.Seconds * float64(time.Second)).Round(time.Second).String()
}
