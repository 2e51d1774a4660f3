package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// newProfile shows, accepts and forgets what a running wonted knows about somebody.
func newProfile(std stdio) *cobra.Command {
	return group("profile", "What is known about callers", newProfileShow(std), newProfileAccept(std), newProfileForget(std))
}

func newProfileShow(std stdio) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "show NAME|HASH|VALUE", Short: "Show what is usual for a caller, an address, a device …",
		Long: `Show what is usual for somebody: by the hash or the name that reports print, or
by the value itself (an API key, an address). Asks the admin listener of the
wonted that is running on this machine.`,
		Args: exactly(1),
	}
	set := withAdmin(cmd)
	outputFlag(cmd, &output)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		found, err := askProfiles(cmd.Context(), set, args[0])
		if err != nil {
			return err
		}
		if err := print(std.out, output, profileList{found}, func(w io.Writer) error {
			for i := range found {
				if i > 0 {
					fmt.Fprintln(w)
				}
				if err := found[i].write(w); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if len(found) == 0 {
			return unknown(args[0])
		}
		return nil
	}
	return cmd
}

func unknown(who string) error {
	return advise(fmt.Errorf("nobody is known as %q", who),
		"give the hash or name that a report prints, or the value of the header, cookie or claim that identity: names")
}

// askProfiles asks the wonted that is running for who.
func askProfiles(ctx context.Context, set *settings, who string) ([]profileView, error) {
	var answer profileList
	err := askAdmin(ctx, set, http.MethodGet, "/v1/profiles/"+url.PathEscape(who), &answer)
	return answer.Profiles, err
}

// write is the profile in words.
func (v *profileView) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row(v.Kind, "%s", cmp.Or(v.Name, v.ID))
	row("id", "%s", v.ID)
	row("known for", "%s, last seen %s", round(time.Duration(v.AgeS)*time.Second), v.LastSeen.Format(time.RFC3339))
	if v.Cohort != "" {
		row("behaves", "like %s, %s; %.0f %% of what is expected of it is its own history", cohortWords[v.Cohort], v.Level, 100*v.Confidence)
	}
	if c := v.Challenger; c != nil {
		row("lately", "%s times the usual, anomalous and let pass on %d days in %d sessions: wonted profile accept makes it usual", amount(c.Times), c.Days, c.Sessions)
	}
	row("requests", "%d, of them %d accepted, in %s", v.Requests, v.Accepted, plural(int(v.Sessions), "session"))
	for _, u := range v.Usual {
		row("usual", "%s %s in %s, mostly %s to %s%s (learned from %.0f)", amount(u.Mean), u.Quantity, u.Window,
			amount(u.Low), amount(u.High), atMost(u.Most), u.Windows)
	}
	if l := v.LargestResponse; l.Records > 0 || l.Bytes > 0 {
		row("a response", "at most %s records, %s bytes", amount(l.Records), amount(l.Bytes))
	}
	if h := v.Habits; h != nil {
		row("devices", "%s", enumerated(h.DeviceShares))
		row("networks", "%s", enumerated(h.NetworkShares))
		row("routes", "%s", enumerated(h.RouteShares))
		row("touches", "about %d objects of late", h.Objects)
		row("weekdays", "%s  a mark an hour from 00, the taller the busier", strip(h.Weekday))
		row("weekends", "%s", strip(h.Weekend))
	}
	return t.Flush()
}

// cohortWords are the cohorts in a sentence.
var cohortWords = map[string]string{
	"new": "nobody yet", "person": "a person", "poller": "a poller", "batch": "a batch", "bursty": "a program that comes in bursts",
	"service": "a program that is there all day",
}

func amount(v float64) string {
	if v = math.Round(10*v) / 10; v >= 10 || v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

func atMost(most float64) string {
	if most == 0 {
		return ""
	}
	return ", once " + amount(most)
}

func enumerated(shares []share) string {
	if len(shares) == 0 {
		return "none remembered"
	}
	var all []string
	for _, s := range shares {
		all = append(all, fmt.Sprintf("%s %.0f %%", cmp.Or(s.Name, "one whose profile is gone"), 100*s.Share))
	}
	return strings.Join(all, ", ")
}

func round(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return d.Round(time.Second).String()
}

// strip draws shares as eight heights.
func strip(shares [24]float64) string {
	const marks = "·▁▂▃▄▅▆▇█"
	levels := []rune(marks)
	top := 0.0
	for _, s := range shares {
		top = max(top, s)
	}
	var b strings.Builder
	for _, s := range shares {
		i := 0
		if s > 0 {
			i = 1 + int(s/top*float64(len(levels)-2))
		}
		b.WriteRune(levels[i])
	}
	return b.String()
}
