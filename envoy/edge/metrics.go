package edge

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	blocks, refused, proxies prometheus.Gauge
	rejections               prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		blocks:  gauge("wonted_edge_blocks", "Addresses and networks that Envoy is told to refuse by itself."),
		refused: gauge("wonted_edge_withheld_blocks", "Those in quarantine that Envoy is not told of, since no list may shut out everybody: too large, of one's own house, or too many. wonted refuses them itself."),
		proxies: gauge("wonted_edge_proxies", "Envoys that are connected for the list of whom to refuse; 0 also where they watch a file."),
		rejections: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wonted_edge_rejections_total", Help: "Lists that an Envoy did not take, and kept the one before.",
		}),
	}
	if r != nil {
		r.MustRegister(m.blocks, m.refused, m.proxies, m.rejections)
	}
	return m
}
