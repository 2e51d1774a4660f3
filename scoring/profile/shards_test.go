package profile

import (
	"math/bits"
	"testing"
)

// As many shards as memory has room for, no lock for fewer records than it is
// worth, and no memory lost on the way but less than a chunk a shard.
func TestShardsFollowMemory(t *testing.T) {
	f := func(memory Bytes, shards, records int) {
		t.Helper()
		s := New(Config{Memory: memory})
		defer s.Close()
		st := s.Stats()
		n := len(s.shards)
		if n != shards || int(s.shards[0].capacity) != records || st.CapacityRecords != n*records {
			t.Errorf("%v: %d shards of %d records, %d in all; want %d of %d", memory, n, s.shards[0].capacity, st.CapacityRecords, shards, records)
		}
		if bits.OnesCount(uint(n)) != 1 || n < minShards || n > maxShards || n > minShards && records < shardRecords {
			t.Errorf("%v: %d shards of %d records", memory, n, records)
		}
		if spare := memory - st.CapacityBytes; st.CapacityBytes > memory || spare >= Bytes(n*chunkCost)+lowerGrain/8 {
			t.Errorf("%v: takes %d when full", memory, st.CapacityBytes)
		}
	}
	f(MinMemory, 64, 112)
	f(32<<20, 64, 496)
	f(64<<20, 64, 992)
	f(lowerLeast-1, 128, 992)
	f(lowerLeast, 128, 640)
	f(352<<20, 512, 592)
	f(1<<30, 1024, 816)
	f(1200<<20, 1024, 992)
	f(8<<30, 1024, 6560)
}
