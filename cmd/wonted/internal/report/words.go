package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// grouped writes 12,345.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// many counts things: "1 request", "2 identities".
func many(n int, thing string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(thing, "ty"):
		thing = strings.TrimSuffix(thing, "y") + "ies"
	default:
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// score writes a score, 0 to 12.
func score(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// digits3 writes a figure with no more digits than a reader can use.
func digits3(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case math.Abs(v) >= 100:
		return grouped(int(math.Round(math.Min(math.Max(v, -1e15), 1e15))))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// size writes a number of bytes; -1 is not known.
func size(n int64) string {
	switch {
	case n < 0:
		return "–"
	case n < 1e3:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return digits3(float64(n)/1e3) + " kB"
	case n < 1e9:
		return digits3(float64(n)/1e6) + " MB"
	}
	return digits3(float64(n)/1e9) + " GB"
}
