package demo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/wonted-project/wonted/policy"
)

// running is where everything can be reached.
type running struct {
	Scene   string `json:"scene"`
	Guarded string `json:"envoy_with_wonted"`
	Bare    string `json:"envoy_alone"`
	API     string `json:"sample_api"`
	Wonted  string `json:"wonted_admin"`
	Envoy   string `json:"envoy_admin"`
	Log     string `json:"envoy_access_log"`
	Try     string `json:"try"`
}

// keep starts wonted once more, enforcing, says where everything is, and waits
// until ctx ends.
func (t *telling) keep(ctx context.Context) error {
	if err := t.stage.rewind(ctx, policy.Enforce); err != nil {
		return interrupted(ctx, err)
	}
	r := running{
		Scene:   "running",
		Guarded: t.stage.guarded.URL(), Bare: t.stage.bare.URL(), API: t.stage.apiURL,
		Wonted: "http://" + t.stage.admin, Envoy: t.stage.guarded.AdminURL(), Log: t.stage.path("access.log"),
		Try: fmt.Sprintf("curl -i -H 'x-api-key: %s' '%s/v1/orders?limit=%d'", t.owner.Key, t.stage.guarded.URL(), pullRecords),
	}
	if t.json != nil {
		if err := json.NewEncoder(t.json).Encode(r); err != nil {
			return err
		}
	}
	fmt.Fprintln(t.w)
	for _, line := range [][2]string{
		{"Envoy with wonted", r.Guarded}, {"Envoy alone", r.Bare}, {"sample API", r.API},
		{"wonted", r.Wonted + "/metrics"}, {"Envoy's admin page", r.Envoy}, {"access log", r.Log},
		{"try", r.Try}, {"stop", "Ctrl-C"},
	} {
		fmt.Fprintf(t.w, "   %-22s %s\n", line[0], line[1])
	}
	select {
	case <-ctx.Done():
		return nil // what was asked for
	case <-t.stage.guarded.Done():
		return fmt.Errorf("envoy ended: %s", t.stage.guarded.LogTail(5))
	case <-t.stage.wonted.done:
		return fmt.Errorf("wonted ended (%v): %s", t.stage.wonted.err, t.stage.wonted.logTail())
	}
}
