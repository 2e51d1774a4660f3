package envoytest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
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

// Metric is the sum of a metric's series whose labels contain all of these
// parts; it fails where there is no such series.
func (w *Wonted) Metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	return w.Metrics(t).Sum(t, name, labels...)
}

// Metrics are all of wonted's at one moment, as it publishes them.
type Metrics string

// Metrics asks for them.
func (w *Wonted) Metrics(t testing.TB) Metrics {
	t.Helper()
	response, err := http.Get(w.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Metrics(text)
}

// Sum is as Wonted.Metric.
func (m Metrics) Sum(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	sum, series := 0.0, 0
next:
	for line := range strings.Lines(string(m)) {
		head, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if head != name && !strings.HasPrefix(head, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(head, label) {
				continue next
			}
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("metric %s: %v", line, err)
		}
		sum += n
		series++
	}
	if series == 0 {
		t.Fatalf("wonted has no metric %s with %q", name, labels)
	}
	return sum
}
