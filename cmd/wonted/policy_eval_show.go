package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/wonted-project/wonted/policy/rego"
)

func showTrials(w io.Writer, trials []*rego.Trial) (err error) {
	for i, t := range trials {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if phase, ok := t.Input["phase"].(string); ok {
			fmt.Fprintf(w, "in the phase %s: ", phase)
		}
		err = showTrial(w, t)
	}
	return err
}

// showTrial writes the decision, then what led to it.
func showTrial(w io.Writer, t *rego.Trial) error {
	d := &t.Decision
	fmt.Fprint(w, d.Action)
	if d.Status != 0 {
		fmt.Fprintf(w, " with %d", d.Status)
	}
	if d.Reason != "" {
		fmt.Fprintf(w, ": %s", d.Reason)
	}
	fmt.Fprintln(w)
	for _, f := range t.Fired {
		fmt.Fprintf(w, "  fired    %s:%d  %s %s\n", f.File, f.Row, f.Rule, inJSON(f.Element))
	}
	for _, h := range t.Held {
		fmt.Fprintf(w, "  did not  %s:%d  %s, for want of %s\n", h.Condition.File, h.Condition.Row, h.Rule, h.Condition.Message)
	}
	for _, path := range slices.Sorted(maps.Keys(t.Read)) {
		fmt.Fprintf(w, "  read     %s is %s\n", path, inJSON(t.Read[path]))
	}
	for _, path := range t.Absent {
		fmt.Fprintf(w, "  read     %s is absent\n", path)
	}
	return nil
}

func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
