package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc"
)

// enough is how many exchanges must show the same sign before it is believed.
const enough = 100

// A misconfiguration makes wonted see less than its operator thinks, while all
// seems to be well. Each has a text for /readyz, empty where there is no sign of
// it, and a name in the metric wonted_misconfiguration.
//
// What cannot be seen from here has no entry: that Envoy drops the verdicts
// because metadata_options.receiving_namespaces does not name wonted, that
// message_timeout is too long, and that failure_mode_allow and fail disagree.
var misconfigurations = []struct {
	kind string
	sign func(*service, extproc.Stats) string
}{
	{"mode_override", func(_ *service, st extproc.Stats) string {
		switch {
		case st.Silent >= enough:
			return fmt.Sprintf("%d exchanges and not one response: Envoy does not send response headers "+
				"when asked to; set allow_mode_override: true on its ext_proc filter", st.Silent)
		case st.Bodiless >= enough:
			return fmt.Sprintf("%d requests whose operation is in their body, and not one body: Envoy does not send them "+
				"when asked to, and operations are judged by their path; set allow_mode_override: true on its ext_proc filter", st.Bodiless)
		}
		return ""
	}},
	{"access_log", func(s *service, st extproc.Stats) string {
		switch depth := s.cfg.Depth; {
		case depth != config.Lean && depth != config.Adaptive:
			return ""
		case st.Entries == 0 && st.Opened >= enough:
			return fmt.Sprintf("%d exchanges and not one entry of an access log, which tells how they ended at depth %s: "+
				"give Envoy's connection manager the access log that wonted envoy config prints, or set depth to headers here and there", st.Opened, depth)
		case st.Lost >= enough:
			return fmt.Sprintf("%d exchanges that the access log did not tell the end of, so that they teach nothing: "+
				"see that every Envoy that asks wonted sends it the access log too, and each to the wonted that it asks", st.Lost)
		}
		return ""
	}},
	{"attributes", func(_ *service, st extproc.Stats) string {
		if st.Sourceless < enough {
			return ""
		}
		return fmt.Sprintf("%d requests without source.address: nobody's address and network are known; "+
			"list it under request_attributes of Envoy's ext_proc filter (wonted envoy config prints all)", st.Sourceless)
	}},
	{"source_address", func(s *service, _ extproc.Stats) string {
		if s.resolver.forwarded.Count(time.Now()) == 0 {
			return ""
		}
		return "source addresses come from X-Forwarded-For, which clients can write: set use_remote_address: true " +
			"on Envoy's connection manager or, with proxies in front of it, trusted_proxies here and xff_num_trusted_hops there"
	}},
	{"metadata", func(s *service, _ extproc.Stats) string {
		for _, e := range s.resolver.expected {
			if n := e.missing.Load(); n >= enough {
				return fmt.Sprintf("%d requests in a row without the metadata %s, which identity rules read: name it under "+
					"metadata_options.forwarding_namespaces.untyped of Envoy's ext_proc filter, and place that after the filter that writes it",
					n, e.namespace)
			}
		}
		return ""
	}},
	{"message_timeout", func(_ *service, st extproc.Stats) string {
		if st.Late < 10 { // a client that goes away looks the same, but rarely
			return ""
		}
		return fmt.Sprintf("%d answers came too late, when Envoy had given up, some after %v already: set message_timeout of its "+
			"ext_proc filter to 200ms or more; if it is, wonted needs more CPU", st.Late, st.LateAfter.Round(time.Millisecond))
	}},
	{"clock", func(_ *service, st extproc.Stats) string {
		if st.Ahead == 0 {
			return ""
		}
		return fmt.Sprintf("the system's clock was set back by %v: wonted's runs on, ahead of it by that much, and hours of the day "+
			"are judged by it; if the new time is the right one, restart wonted", st.Ahead.Round(time.Second))
	}},
}

// misconfigured are the texts of those that show.
func (s *service) misconfigured() (all []string) {
	st := s.stream.Stats()
	for _, m := range misconfigurations {
		if text := m.sign(s, st); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// showMisconfigurations publishes them, 1 for those that show.
func showMisconfigurations(s *service) {
	for _, m := range misconfigurations {
		s.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "wonted_misconfiguration", Help: "1 where something around wonted is set up so that it protects less; /readyz says what to do.",
			ConstLabels: prometheus.Labels{"kind": m.kind},
		}, func() float64 {
			if m.sign(s, s.stream.Stats()) != "" {
				return 1
			}
			return 0
		}))
	}
}
