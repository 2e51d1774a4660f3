package profile

import "math/bits"

// How many shards a store has follows the memory of its slab:
//
//	shards = the greatest power of two, 64 to 1024, with 512 records or more in each
//
// (64 where even they have fewer).
//
// An exchange takes a dozen locks, one after the other, and whoever meets one
// that is held may be put to sleep, which costs ten exchanges. Two workers meet
// the less the more shards there are. In make flood (352MiB, two cores) the p99
// of established callers was 118 µs with 64 shards, 87 µs with 256, 18 to 21 µs
// with 512 and 14 to 17 µs with 1024; in quiet it is about 20 µs. In the default
// 128MiB, against a quarter of the callers, it was 89 µs with 64 and 30 with 128.
//
// What speaks against more is that a shard cannot lend room to its neighbours,
// and keys fill them unevenly. Of as many records as there is room for, r a
// shard, a share of 1/sqrt(2*pi*r) finds its shard full (half the mean deviation
// of a Poisson count): 1.8 % with 512, 2.5 % with 256. They go to the level
// below early, and each shard's list of what is there is a ring, the shorter
// the more shards there are: that flood lost 94 silent callers in 100,000 with
// 1024, and 6 at most with 512. Besides, what is left of a shard's memory does not
// make a chunk: half of one on average, 1.6 % of 512 records.
//
//	memory     slab   shards   records in each
//	  8MiB     8MiB       64     112
//	 64MiB    64MiB       64   1,008
//	128MiB    84MiB      128     656
//	352MiB   308MiB      512     608
//	  1GiB   848MiB     1024     832
const (
	minShards    = 64
	maxShards    = 1024
	shardRecords = 512
)

// shardsOf is how many shards share out a slab of so much memory, all in.
func shardsOf(memory Bytes) int {
	records := int(memory) / chunkCost * chunkRecords
	n := minShards
	for n < maxShards && 2*n*shardRecords <= records {
		n *= 2
	}
	return n
}

// shardShift is by how much to shift a hash for its shard among n, a power of two.
func shardShift(n int) uint8 { return uint8(64 - bits.TrailingZeros(uint(n))) }
