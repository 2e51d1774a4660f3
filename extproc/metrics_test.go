package extproc

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/wonted-project/wonted/policy"
)

// counted is the value of a counter or gauge.
func counted(m prometheus.Metric) float64 {
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		panic(err)
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

// TestMetrics: what one exchange of each sort counts, read as Prometheus does.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}
	s := newServer(g, func(c *Config) { c.Registerer = registry })
	run := func(words ...string) {
		t.Helper()
		if err := s.process(&script{messages: encodeWords(t, words)}); err != nil {
			t.Fatal(err)
		}
	}
	run("rqh$", "rsh", "rsb", "rsb$")
	run("rqh$", "rsh$")
	run("rqh$")
	run("rqh$", "rqh$", "none")
	g.hooks = hooks{onOpen: always(refusal(policy.Deny, "denied"))}
	run("rqh$")
	_ = s.process(&script{messages: [][]byte{{0x80}}})

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			if v := m.GetCounter().GetValue() + m.GetGauge().GetValue(); v != 0 {
				got[name] = v
			}
		}
	}
	want := map[string]float64{
		"wonted_stream_messages_total request_headers":  6,
		"wonted_stream_messages_total response_headers": 2,
		"wonted_stream_messages_total response_body":    2,
		"wonted_stream_messages_total other":            2,
		"wonted_stream_spurious_total request_headers":  1,
		"wonted_stream_decode_errors_total":             1,
		"wonted_exchange_ends_total answered":           2,
		"wonted_exchange_ends_total unknown":            3, // the unreadable one is before the Gate too
		"wonted_exchange_ends_total refused":            1,
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s is %v, not %v", name, got[name], n)
		}
	}
	for name, n := range got {
		if want[name] == 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
	if st := s.Stats(); st.Opened != 6 || st.Answered != 2 || st.Open != 0 {
		t.Errorf("%+v", st)
	}
}
