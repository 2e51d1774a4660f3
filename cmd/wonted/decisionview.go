package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/flight"
	"github.com/wonted-project/wonted/scoring"
)

// decisionView is a decision as GET /v1/decisions/{id} answers it. Its JSON names
// are a contract.
type decisionView struct {
	policy.Report
	Recent []act `json:"recent"` // the caller's last exchanges, up to this one, as far as it was suspicious
}

// act is one exchange that the flight recorder has.
type act struct {
	Time    time.Time `json:"time"`
	Route   string    `json:"route"`  // its name; a number where that is not known any more
	Object  string    `json:"object"` // short hash; empty: none
	Status  int       `json:"status"` // that came from the upstream; 0: none
	Records int64     `json:"records"`
	Bytes   int64     `json:"bytes"` // -1: not known, as records
	Score   float64   `json:"score"`
	Action  string    `json:"action"`
	Mode    string    `json:"mode"`
	Cut     bool      `json:"cut"` // the response was cut while it streamed
}

// viewDecision names the routes by name.
func viewDecision(d *decision, name func(id uint32) string) *decisionView {
	v := &decisionView{Report: d.Report, Recent: []act{}}
	for _, e := range flight.Decode(d.Flight) {
		a := act{
			Time: e.Time(), Route: name(e.Route), Status: int(e.Status), Records: e.Records(), Bytes: e.Bytes(),
			Score: e.Score(), Action: e.Action.String(), Mode: e.Mode.String(), Cut: e.End == scoring.Truncated,
		}
		if e.Object != 0 {
			a.Object = fmt.Sprintf("%08x", e.Object)
		}
		v.Recent = append(v.Recent, a)
	}
	if n := len(v.Recent); n > 0 { // the last is the decision's own
		v.Recent[n-1].Route = d.Route
	}
	return v
}

// routeName is the name of a route, as far as its record keeps it.
func (s *service) routeName(id uint32) string {
	rec, pin, ok := s.store.Find(scoring.RouteKey(id))
	if !ok {
		return "route " + strconv.FormatUint(uint64(id), 16)
	}
	defer pin.Release()
	return rec.Name.String()
}

// writeActs is a short table of what a caller did before.
func writeActs(out io.Writer, acts []act) error {
	if len(acts) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\nits last %s, the decision's own included:\n", plural(len(acts), "exchange"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	day := ""
	for i := range acts {
		a := &acts[i]
		if d := a.Time.Format(time.DateOnly); d != day {
			day = d
			fmt.Fprintf(w, "%s\n", day)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%.1f\t%s\n", a.Time.Format("15:04:05.000"), a.Route, a.Object,
			known(a.Status > 0, "%d", a.Status), known(a.Records >= 0, "%d records", a.Records), known(a.Bytes >= 0, "%d bytes", a.Bytes),
			a.Score, a.done())
	}
	return w.Flush()
}

func known(ok bool, format string, n any) string {
	if !ok {
		return "-"
	}
	return fmt.Sprintf(format, n)
}

func (a *act) done() string {
	switch {
	case a.Cut:
		return "cut"
	case a.Mode == policy.Shadow.String() && a.Action != policy.Allow.String():
		return a.Action + " (shadow)"
	}
	return a.Action
}
