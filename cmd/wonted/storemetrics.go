package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/scoring/profile"
)

// storeCollector reads the profile store when it is scraped.
type storeCollector struct {
	stats func() profile.Stats

	records, below, capacity, bytes, limit, retention *prometheus.Desc
	created, lookups, moves, evictions                *prometheus.Desc
}

func newStoreCollector(stats func() profile.Stats) *storeCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &storeCollector{
		stats:    stats,
		records:  desc("wonted_profiles", "Profiles in use, in the slab, by kind.", "kind"),
		below:    desc("wonted_profiles_below", "Established profiles that made room for others and are kept, packed, until they come back."),
		capacity: desc("wonted_profiles_capacity", "Profiles that fit into the slab."),
		bytes:    desc("wonted_profile_memory_bytes", "Memory that profiles take."),
		limit:    desc("wonted_profile_memory_limit_bytes", "Memory that they take when full."),
		retention: desc("wonted_profile_retention_ratio",
			"Established profiles that are still held, of all that ever were since the start: under 1, profile.memory is too small."),
		created: desc("wonted_profiles_created_total", "Profiles created since the start."),
		lookups: desc("wonted_profile_lookups_total", "Lookups by where they ended: the slab, below it, or nowhere.", "level"),
		moves:   desc("wonted_profile_moves_total", "Profiles that left the slab for the level below, and that came back.", "direction"),
		evictions: desc("wonted_profile_evictions_total",
			"Profiles gone for good to make room for others: on probation, established with no level below, or overwritten below. More memory would have kept those of the last two reasons.", "reason"),
	}
}

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.records, c.below, c.capacity, c.bytes, c.limit, c.retention, c.created, c.lookups, c.moves, c.evictions} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for kind := profile.KindCaller; int(kind) < profile.KindCount; kind++ {
		gauge(c.records, float64(s.Records[kind]), kind.String())
	}
	gauge(c.below, float64(s.Below))
	gauge(c.capacity, float64(s.CapacityRecords))
	gauge(c.bytes, float64(s.Bytes))
	gauge(c.limit, float64(s.CapacityBytes))
	gauge(c.retention, s.Retention())
	counter(c.created, s.Created)
	counter(c.lookups, s.Found, "slab")
	counter(c.lookups, s.Promoted, "below")
	counter(c.lookups, s.Missed, "none")
	counter(c.moves, s.Stowed, "down")
	counter(c.moves, s.Promoted, "up")
	counter(c.evictions, s.EvictedProbation, "probation")
	counter(c.evictions, s.EvictedProtected-s.Overwritten, "established")
	counter(c.evictions, s.Overwritten, "overwritten")
}
