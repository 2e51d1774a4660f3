package scoring

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Summary says in plain words what was found, for a person.
func (e *Evidence) Summary() string {
	switch e.Detector {
	case Slow:
		return "more than usual for a long time, though never much at once"
	case Rate:
		return e.counted("requests")
	case NewObjects:
		return fmt.Sprintf("touched %s objects it had not touched before in %s, where %s usual",
			number(e.Observed), span(e.Window), are(e.Expected))
	case Volume, Bulk, Drift:
		return e.volume()
	case Device:
		return e.seldom("device", "devices")
	case Network:
		return e.seldom("network", "networks")
	case Hour:
		often := "is hardly ever active"
		if e.Expected == 0 {
			often = "has never been active"
		}
		return fmt.Sprintf("%02.0f:00 on %s, an hour at which it %s", e.Observed, strings.TrimPrefix(e.Unit, "hour of "), often)
	case Companion:
		return fmt.Sprintf("came with %s other identities it was never seen with in %s", number(e.Observed), span(e.Window))
	case Errors:
		return e.counted("errors")
	case Country:
		return e.seldom("country", "countries")
	case Method:
		return e.seldom("method", "methods")
	case Version:
		return e.seldom("version of the API", "versions")
	case Sequence:
		return "goes from route to route in an order that is not its own, nor others'"
	case Usage:
		return fmt.Sprintf("asks for what is only %.0f %% of its use, and has asked for other things than usual for hours", max(100*e.Observed, 1))
	case Enumeration:
		if e.Unit == "neighbours" {
			return fmt.Sprintf("asked for %s ids next to the one before in %s, where %s usual", number(e.Observed), span(e.Window), are(e.Expected))
		}
		return fmt.Sprintf("touched %s objects that only others had touched in %s, where %s usual", number(e.Observed), span(e.Window), are(e.Expected))
	case Switches:
		return fmt.Sprintf("changed its device or network %s times in %s, where %s usual", number(e.Observed), span(e.Window), are(e.Expected))
	case Replay:
		return fmt.Sprintf("went to and fro between two devices or networks %s times in %s, where %s usual", number(e.Observed), span(e.Window), are(e.Expected))
	case Recon:
		if e.Unit == "steps" {
			return fmt.Sprintf("went on in an order that is not its own from what it had tried in vain (%s different routes in %s)", number(e.Observed), span(e.Window))
		}
		return fmt.Sprintf("tried %s different routes in vain in %s, where %s usual", number(e.Observed), span(e.Window), are(e.Expected))
	case Stuffing:
		return fmt.Sprintf("%s user names failed to sign in in %s that never did from there, where %s usual",
			number(math.Round(e.Observed)), span(e.Window), are(e.Expected))
	case Takeover:
		all := "all"
		if e.Observed < 3 {
			all = "both"
		}
		return fmt.Sprintf("its %s are %s unlike it, at the same time", e.Unit, all)
	}
	return fmt.Sprintf("%s %s where %s usual", number(e.Observed), e.Unit, are(e.Expected))
}

func (e *Evidence) counted(what string) string {
	return fmt.Sprintf("%s %s in %s where %s usual%s", number(e.Observed), what, span(e.Window), are(e.Expected), times(e))
}

func (e *Evidence) volume() string {
	observed, usual := number(e.Observed)+" "+e.Unit, are(e.Expected)+" usual"
	if e.Unit == "bytes" {
		observed, usual = size(e.Observed), size(e.Expected)+" are usual"
	}
	switch e.Window {
	case 0:
		return fmt.Sprintf("%s in one response where %s%s", observed, usual, times(e))
	}
	if e.Detector == Drift {
		return fmt.Sprintf("%s in one response where %s, and more than usual for hours", observed, usual)
	}
	return fmt.Sprintf("%s in %s where %s%s", observed, span(e.Window), usual, times(e))
}

func (e *Evidence) seldom(one, many string) string {
	if e.Observed > 0 {
		return fmt.Sprintf("a %s that only %.0f %% of its visits come from", one, max(100*e.Observed, 1))
	}
	if e.Expected == 1 {
		many = one
	}
	return fmt.Sprintf("a %s never seen with it (%.0f %s known)", one, e.Expected, many)
}

// times tells how many times the usual, where that says something.
func times(e *Evidence) string {
	if e.Expected < 0.5 || e.Observed < 3*e.Expected {
		return ""
	}
	return " (" + number(math.Round(e.Observed/e.Expected)) + "x)"
}

func are(v float64) string {
	n := number(v)
	if n == "1" {
		return n + " is"
	}
	return n + " are"
}

// number writes 10,000 and 0.3: whole from ten on, else one digit if it needs one.
func number(v float64) string {
	if !(math.Abs(v) < 1e15) {
		return "very many"
	}
	if v < 10 && math.Abs(v-math.Round(v)) > 0.05 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	s := strconv.FormatInt(int64(math.Round(v)), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes bytes in units of 1,000.
func size(v float64) string {
	for _, u := range [...]string{"bytes", "kB", "MB", "GB"} {
		if v < 1000 {
			return number(v) + " " + u
		}
		v /= 1000
	}
	return number(v) + " TB"
}

func span(d time.Duration) string {
	switch {
	case d == time.Minute:
		return "a minute"
	case d == time.Hour:
		return "an hour"
	}
	return fmt.Sprintf("%.0f minutes", d.Minutes())
}

// Attack is the kind of attack that such evidence is a sign of.
func (e *Evidence) Attack() string { return signs[e.Detector].attack }

// OWASP is the entry of the OWASP API Security Top 10 (2023) it belongs to.
func (e *Evidence) OWASP() string { return signs[e.Detector].owasp }

var signs = [Detectors]struct{ attack, owasp string }{
	Rate:        {"automated abuse", "API4:2023"},    // unrestricted resource consumption
	Volume:      {"data exfiltration", "API4:2023"},  //
	Bulk:        {"data exfiltration", "API4:2023"},  //
	NewObjects:  {"object enumeration", "API1:2023"}, // broken object level authorization
	Device:      {"credential theft", "API2:2023"},   // broken authentication
	Network:     {"credential theft", "API2:2023"},   //
	Hour:        {"credential theft", "API2:2023"},   //
	Companion:   {"identity evasion", "API2:2023"},   //
	Takeover:    {"account takeover", "API2:2023"},   //
	Errors:      {"probing", "API8:2023"},            // security misconfiguration: what probes look for
	Country:     {"credential theft", "API2:2023"},   //
	Method:      {"function abuse", "API5:2023"},     // broken function level authorization
	Version:     {"version abuse", "API9:2023"},      // improper inventory management
	Switches:    {"credential sharing", "API2:2023"}, //
	Replay:      {"session replay", "API2:2023"},     //
	Recon:       {"reconnaissance", "API9:2023"},     //
	Sequence:    {"workflow abuse", "API6:2023"},     // unrestricted access to sensitive business flows
	Usage:       {"account misuse", "API6:2023"},     //
	Slow:        {"data exfiltration", "API4:2023"},  //
	Drift:       {"data exfiltration", "API4:2023"},  //
	Stuffing:    {"credential stuffing", "API2:2023"},
	Enumeration: {"object enumeration", "API1:2023"},
}
