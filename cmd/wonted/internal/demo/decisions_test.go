package demo

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
)

// Decisions are counted by mode, from the metrics as Prometheus writes them.
func TestDecisionsAreRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `# HELP wonted_decisions_total Exchanges by the severest action reached.
# TYPE wonted_decisions_total counter
wonted_decisions_total{action="allow",mode="enforce"} 7
wonted_decisions_total{action="allow",mode="shadow"} 2
wonted_decisions_total{action="challenge",mode="shadow"} 60
wonted_decisions_total{action="deny",mode="shadow"} 1.2e+02
wonted_exchanges_total 65
`)
	}))
	defer server.Close()
	got, err := scrape(t.Context(), server.URL, policy.Shadow)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(counts{"allow": 2, "challenge": 60, "deny": 120}, got); diff != "" {
		t.Error(diff)
	}
	if got.sum() != 182 || got.stopped() != 180 {
		t.Errorf("sum %d, stopped %d", got.sum(), got.stopped())
	}
	if want := "allow 2, challenge 60, deny 120"; got.String() != want {
		t.Errorf("%q, want %q", got, want)
	}
}
