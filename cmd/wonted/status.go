package main

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
)

// status is what an operator asks first. Its JSON names are a contract.
type status struct {
	Mode     string       `json:"mode"`
	Fail     string       `json:"fail"`
	Depth    string       `json:"depth"`
	Since    time.Time    `json:"since"` // when the process began
	Build    buildInfo    `json:"build"`
	Policy   policyStatus `json:"policy"`
	Budget   budgetStatus `json:"budget"`
	Learning bool         `json:"learning"` // most is judged by the models alone
	Open     int          `json:"open_exchanges"`
	Profiles int          `json:"profiles"`
	Warnings []string     `json:"warnings"`
}

type policyStatus struct {
	Revision string `json:"revision"`
	Source   string `json:"source"` // "default", a directory, the URL of a bundle
}

// budgetStatus is in alerts per 1,000 identities and day, and in scores.
type budgetStatus struct {
	Target    float64   `json:"target"`
	Realised  float64   `json:"realised"` // of late, once peers are known
	Overrun   bool      `json:"overrun"`  // clearly more come than the target
	Capped    bool      `json:"capped"`   // the day's are used up
	Threshold threshold `json:"threshold"`
}

// threshold is the score at which an exchange is anomalous.
type threshold struct {
	Mature   float64 `json:"mature"`
	Newcomer float64 `json:"newcomer"`
}

func (s *service) status() status {
	calibration, source := s.peers.Stats(), "default"
	s.reload.Lock()
	revision, mode := s.revision, s.cfg.Mode
	s.reload.Unlock()
	switch c := &s.cfg.Policy; {
	case c.Bundle != "":
		source = redacted(c.Bundle)
	case c.Path != "":
		source = c.Path
	}
	return status{
		Mode: mode.String(), Fail: s.cfg.Fail.String(), Depth: string(s.cfg.Depth), Since: s.began.UTC().Truncate(time.Second), Build: thisBuild(),
		Policy: policyStatus{revision, source},
		Budget: budgetStatus{
			Target: 1000 * calibration.Budget.PerIdentityDay, Realised: 1000 * calibration.Realised.LateAlerts / max(calibration.Realised.LateDays, 1),
			Overrun: calibration.Overrun(), Capped: calibration.Capped,
			Threshold: threshold{Mature: hundredth(calibration.Thresholds[1]), Newcomer: hundredth(calibration.Thresholds[0])},
		},
		Learning: calibration.Learning, Open: s.stream.Stats().Open, Profiles: s.store.Stats().Total,
		Warnings: append([]string{}, s.warnings()...),
	}
}

// redacted is a URL without its password.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a bundle"
	}
	return u.Redacted()
}

func hundredth(x float64) float64 { return math.Round(100*x) / 100 }

// status answers GET /v1/status.
func (h *web) status(w http.ResponseWriter, _ *http.Request) {
	admin.JSON(w, http.StatusOK, h.sv.status())
}

// newStatus asks a running wonted how it is.
func newStatus(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "status", Short: "Ask a running wonted for mode, policy, budget and warnings",
		Args: noArgs,
	}, asked[*status](http.MethodGet, "/v1/status"), writeStatus)
}

// writeStatus is the status in words.
func writeStatus(w io.Writer, is *status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("mode", "%s; fail %s, depth %s", is.Mode, is.Fail, is.Depth)
	row("policy", "%s (%s)", is.Policy.Revision, is.Policy.Source)
	b := &is.Budget
	row("budget", "%.3g alerts per 1,000 identities and day, %.3g came of late%s", b.Target, b.Realised, noted(b))
	row("threshold", "%.3g, for newcomers %.3g", b.Threshold.Mature, b.Threshold.Newcomer)
	if is.Learning {
		row("learning", "yes: too little is known of peers, and the models alone judge")
	}
	row("profiles", "%s", grouped(is.Profiles))
	row("open", "%s exchanges", grouped(is.Open))
	row("since", "%s, version %s", is.Since.Format(time.RFC3339), is.Build.Version)
	for _, warning := range is.Warnings {
		row("warning", "%s", warning)
	}
	return t.Flush()
}

func noted(b *budgetStatus) string {
	var all []string
	if b.Overrun {
		all = append(all, "clearly more than that")
	}
	if b.Capped {
		all = append(all, "today's are used up")
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, ", ")
}
