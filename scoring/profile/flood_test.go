package profile

import (
	"flag"
	"testing"
	"time"
)

// At full size:
//
//	go test ./scoring/profile -run TestFloodOfInventedIdentities -v -args -invented 10000000 -established 100000 -memory 256MiB -rss
var (
	invented    = flag.Int("invented", 100_000, "identities of one request each in the flood test")
	established = flag.Int("established", 5_000, "established callers in the flood test")
	floodMemory = Bytes(lowerLeast)
	floodRSS    = flag.Bool("rss", false, "let the flood test hold resident memory to the cap and 5 %, which needs a process without the race detector")
)

func init() {
	flag.TextVar(&floodMemory, "memory", floodMemory, "the cap of the flood test")
}

// However many identities are invented, the established are kept, and memory
// stays under the cap. The established do not come while the flood lasts, so
// nothing but having been there speaks for them; half of the invented have
// their one request accepted.
func TestFloodOfInventedIdentities(t *testing.T) {
	baseline := resident(t)
	s := New(Config{Memory: floodMemory})
	defer s.Close()
	for i := range *established {
		work(s, Key{uint64(i), 1}, Established, 1)
	}
	kinds := [...]Kind{KindCaller, KindSession, KindAddress, KindDevice}
	start := time.Now()
	for i := range uint64(*invented) {
		visit(s, Key{i, 2}, kinds[i%4], uint32(i/4%2), uint32(2+i/1000))
	}
	took := time.Since(start)
	grown, total := resident(t)-baseline, resident(t)

	kept := 0
	for i := range uint64(*established) {
		rec, pin, ok := s.Find(Key{i, 1})
		if ok && rec.Accepted == Established && rec.Habits().Evidence == float32(i) {
			kept++
		}
		pin.Release()
	}
	st := s.Stats()
	t.Logf("%d invented in %v (%v each), cap %v: kept %d of %d established (%.3f %%), %d of them below; counted %d bytes, resident %d more than before, %d in all",
		*invented, took.Round(time.Millisecond), took/time.Duration(*invented), floodMemory, kept, *established,
		100*float64(kept)/float64(*established), st.Below, st.Bytes, grown, total)
	if kept < *established*999/1000 {
		t.Errorf("kept %d of %d established callers: %+v", kept, *established, st)
	}
	if st.Bytes > floodMemory || st.CapacityBytes > floodMemory {
		t.Errorf("counts %v of a cap of %v", st.Bytes, floodMemory)
	}
	if limit := int(floodMemory) * 105 / 100; *floodRSS && total > limit {
		t.Errorf("%d bytes resident, %d under a cap of %v and 5 %%", total, limit, floodMemory)
	}

}
