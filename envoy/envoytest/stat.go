package envoytest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/wonted-project/wonted/envoy"
)

// Stat reads one of Envoy's counters or gauges, and fails where it has none
// of that name: a misspelt one would be 0 for ever.
func Stat(t testing.TB, e *envoy.Process, name string) int {
	t.Helper()
	query := url.Values{"format": {"json"}, "filter": {"^" + regexp.QuoteMeta(name) + "$"}}
	response, err := http.Get(e.AdminURL() + "/stats?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var found struct {
		Stats []struct {
			Name  string
			Value int
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		t.Fatalf("Envoy's %s: %v", name, err)
	}
	if len(found.Stats) != 1 || found.Stats[0].Name != name {
		t.Fatalf("Envoy has no statistic %s", name)
	}
	return found.Stats[0].Value
}
