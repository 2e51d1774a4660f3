package detect

import (
	"slices"

	"github.com/zeebo/xxh3"
)

// leaky is what reads logs for bad addresses: scenarios of leaky buckets, as of
// CrowdSec (docs.crowdsec.net, scenario format) with the figures that its
// scenarios have for web servers:
//
//	sign-ins  401 or 403 to a POST               capacity 5   one leaks in 10 s
//	probing   distinct paths with 400, 403, 404  capacity 10  one in 10 s
//	crawling  distinct paths                     capacity 40  one in 0.5 s
//
// A bucket that overflows is an alarm. The score is how full the fullest is, in
// capacities, with no end: so it can be compared at any rate of false alarms.
type leaky struct{ states[uint64, leaks] }

type leaks [3]leak

type leak struct {
	bucket
	paths [20]uint32 // the last distinct ones; which pour nothing again
	next  uint8
}

var leakyScenarios = [len(leaks{})]struct {
	holds    func(*Call) bool
	distinct bool
	capacity float64
	leaks    int64 // milliseconds until one has left
}{
	{func(c *Call) bool { return c.method() == "POST" && (c.Status == 401 || c.Status == 403) }, false, 5, 10 * second},
	{func(c *Call) bool { return c.Status == 400 || c.Status == 403 || c.Status == 404 }, true, 10, 10 * second},
	{func(*Call) bool { return true }, true, 40, second / 2},
}

func newLeaky() *leaky { return &leaky{newStates[uint64, leaks]()} }

func (*leaky) name() string { return "leaky buckets per address" }

func (l *leaky) see(c *Call) float32 {
	all, _ := l.get(c.address())
	path := c.pathHash()
	full := 0.0
	for i := range leakyScenarios {
		s, b := &leakyScenarios[i], &all[i]
		if !s.holds(c) || s.distinct && !b.first(path) {
			continue
		}
		b.level = max(b.level-float64(c.At-b.at)/float64(s.leaks), 0) + 1
		b.at = c.At
		full = max(full, b.level/s.capacity)
	}
	l.set(c.address(), all)
	return float32(full)
}

// first says that the path is not one of the last.
func (b *leak) first(path uint32) bool {
	if slices.Contains(b.paths[:], path) {
		return false
	}
	b.paths[b.next] = path
	b.next = (b.next + 1) % uint8(len(b.paths))
	return true
}

// pathHash tells paths apart, without their queries.
func (c *Call) pathHash() uint32 {
	h := mix(uint64(c.Route)<<56 ^ c.Object)
	if c.Path != "" {
		h = xxh3.HashString(c.Path)
	}
	return uint32(h>>32) | 1 // not the zero of a place that is free
}
