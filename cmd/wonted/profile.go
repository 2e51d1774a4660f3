package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// newProfile shows what a running wonted knows about somebody.
func newProfile(std stdio) *cobra.Command {
	var output string
	show := &cobra.Command{
		Use: "show NAME|HASH|VALUE", Short: "Show what is usual for a caller, an address, a device …",
		Long: `Show what is usual for somebody: by the hash or the name that reports print, or
by the value itself (an API key, an address). Asks the admin listener of the
wonted that is running on this machine.`,
		Args: exactly(1),
	}
	set := withSettings(show, "admin")
	outputFlag(show, &output)
	show.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := set.load()
		if err != nil {
			return err
		}
		if cfg.Admin == "" {
			return misuse("--admin names it: host:port", "the configuration has no admin listener")
		}
		found, err := askProfiles(cmd.Context(), cfg.Admin, args[0])
		if err != nil {
			return err
		}
		if err := print(std.out, output, map[string]any{"profiles": found}, func(w io.Writer) error {
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
			return advise(fmt.Errorf("nobody is known as %q", args[0]),
				"give the hash or name that a report prints, or the value of the header, cookie or claim that identity: names")
		}
		return nil
	}
	return group("profile", "What is known about callers", show)
}

func askProfiles(ctx context.Context, admin, who string) ([]profileView, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/v1/profiles/"+url.PathEscape(who), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the URL holds what may be an API key
		}
		return nil, advise(fmt.Errorf("no answer from %s: %w", admin, err),
			"is wonted serve running, and with the same admin address? --admin chooses another")
	}
	defer res.Body.Close()
	var answer struct {
		Profiles []profileView `json:"profiles"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 16<<20)).Decode(&answer); err != nil || answer.Profiles == nil {
		return nil, advise(fmt.Errorf("%s answered %s, not profiles", admin, res.Status), "is something else listening there? --admin chooses another address")
	}
	return answer.Profiles, nil
}

// write is the profile in words.
func (v *profileView) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row(v.Kind, "%s", cmp.Or(v.Name, v.ID))
	row("id", "%s", v.ID)
	row("known for", "%s, last seen %s", round(time.Duration(v.AgeS)*time.Second), v.LastSeen.Format(time.RFC3339))
	row("requests", "%d, of them %d accepted, in %d sessions", v.Requests, v.Accepted, v.Sessions)
	for _, u := range v.Usual {
		row("usual", "%s %s in %s (learned from %.0f)", amount(u), u.Quantity, u.Window, u.Windows)
	}
	if h := v.Habits; h != nil {
		row("comes from", "%d devices, %d networks", h.Devices, h.Networks)
		row("touches", "about %d objects in two days", h.Objects)
		row("weekdays", "%s  a mark an hour from 00, the taller the busier", strip(h.Weekday))
		row("weekends", "%s", strip(h.Weekend))
	}
	if v.Callers != nil {
		row("callers", "about %d in a day", *v.Callers)
	}
	return t.Flush()
}

func amount(u usual) string {
	if u.Mean >= 10 || u.Mean == 0 {
		return fmt.Sprintf("%.0f", u.Mean)
	}
	return fmt.Sprintf("%.1f", u.Mean)
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
