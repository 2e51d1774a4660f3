package scoring

import (
	"math"
	"testing"
	"time"
)

// frog is a caller whose responses grow by a tenth each day, never by enough to
// be odd that day.
type frog struct {
	w     *world
	c     call
	size  float64
	noise float64 // standard deviation of a response's size, in doublings
	other []*call // who else uses the route, at the usual size
	worst float64 // score
}

func (f *frog) day() {
	w := f.w
	midnight := w.now.Truncate(24 * time.Hour)
	for h := range 10 {
		w.now = midnight.Add(time.Duration(8+h) * time.Hour)
		for range 5 {
			w.now = w.now.Add(time.Minute)
			size := f.size * math.Exp2(f.noise*w.rng.NormFloat64())
			f.c.records, f.c.bytes = int64(size), int64(190*size)
			ex := w.do(f.c)
			f.worst = max(f.worst, ex.Assessment.Score)
			for _, o := range f.other {
				o.records, o.bytes = 10, 1900
				w.do(*o)
			}
		}
	}
	w.now = midnight.Add(24 * time.Hour)
}

// usual is what passes as ordinary at nine in the morning.
func (f *frog) usual() (records, bytes int64) {
	f.w.now = f.w.now.Truncate(24 * time.Hour).Add(9 * time.Hour)
	ex := f.w.begin(f.c)
	f.w.scorer.Complete(ex, Unknown, f.w.now)
	f.w.now = f.w.now.Truncate(24 * time.Hour)
	return ex.Assessment.Usual.Records, ex.Assessment.Usual.Bytes
}

// A frog that is boiled slowly, a tenth more each day, takes little of what is
// usual with it: neither by being the only caller of its route, whose ruler it
// would bend, nor by the spread that its own history gains.
func TestSlowFrogRaisesUsualLittle(t *testing.T) {
	try := func(name string, noise float64, others ...*call) {
		t.Run(name, func(t *testing.T) {
			f := &frog{w: newWorld(t), c: call{caller: "frog", path: "/v1/orders?limit=10"}, size: 10, noise: noise, other: others}
			for range 10 {
				f.day()
			}
			records, bytes := f.usual()
			if records == 0 || bytes == 0 {
				t.Fatalf("usual: %d records, %d bytes", records, bytes)
			}
			before := f.size
			for range 30 {
				f.size *= 1.1
				f.day()
			}
			after, afterBytes := f.usual()
			t.Logf("responses grew from %.0f to %.0f records; usual from %d to %d records (%.1fx), from %d to %d bytes (%.1fx); worst score %.1f",
				before, f.size, records, after, float64(after)/float64(records), bytes, afterBytes, float64(afterBytes)/float64(bytes), f.worst)
			if after >= 4*records || afterBytes >= 4*bytes {
				t.Errorf("usual grew from %d to %d records, from %d to %d bytes", records, after, bytes, afterBytes)
			}
		})
	}
	try("steady", 0)
	try("noisy", 0.5)
	try("beside others", 0.3, &call{caller: "one", path: "/v1/orders?limit=10"}, &call{caller: "two", path: "/v1/orders?limit=10"})
}
