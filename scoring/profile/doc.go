// Package profile keeps what wonted knows of every entity: a record of 1,024
// bytes each, in a Store of two levels that holds a million of them in about a
// gibibyte, and snapshots of it on disk.
//
// It knows numbers, bytes and keys, and nothing of HTTP or detection: the
// scorer reads and writes the records. It may import scoring/window and no
// other package of wonted, and is the only one that may import fastcache.
//
// Start with record.go (what is remembered), then store.go (Acquire, Pin,
// Handle), evict.go (who goes when there is no room), lower.go (where to),
// save.go and load.go.
//
// # Record, layout version 4
//
// Little-endian, no padding. u8 to u64 are unsigned, f32 is IEEE 754; "mini" is
// window.Minifloat, "moments" three f32 (n, mean, M2), "small moments" three mini
// in 1/1024 (n, n*mean, M2), "slot" u32 hash and f32 weight, "small" u16 hash and
// mini weight in 1/1024, "novelty" two f32 (n, new), "small novelty" the same in
// mini in 1/1024, "peak" f32, u16 day, u16 n. Times are u32 seconds since the
// epoch, days u16 mod 65536. Repeated values and the fields of a group are
// contiguous, in the order given.
//
//	  0  16  key: u64 high, u64 low
//	 16   4  u8 version = 4, u8 kind, u8 cohort, u8 flags
//	 20   4  u32 generation: which incarnation in its shard
//	 24   8  created, last seen
//	 32  16  u32 requests, accepted, sessions, sequence
//	 48   4  u16 in flight, day of the last anchor move
//	 52   8  u32 device now, u32 network now (hashes)
//	 60   4  u16 accepted in the open minute, u16 in the open ten minutes
//	 64  56  rings of u16; slot i holds the seconds t with (t/width) mod n = i,
//	         as of "last seen":
//	         requests 6x10 s, 10x1 min, 6x10 min; errors 3x10 min, mistakes
//	         3x10 min
//	120   2  u16 accepted in the open hour
//	122  20  10 mini: the most of each quantity that once was ordinary
//	142  14  routes tried in vain: 64 bits of these ten minutes, small moments
//	156  24  f32 anchors: requests 1m 10m 1h, new objects, bytes, records 10m
//	180 120  moments: requests a minute, 10 minutes, hour; errors a 10 minutes;
//	         new objects a 10 minutes, hour; bytes, records, companions, mix of
//	         routes a 10 minutes
//	300  68  rings of kinds 1 to 4: new objects 10x1 min, 6x10 min; bytes (mini)
//	         6x10 min; records (mini) 6x10 min; companions, context switches,
//	         returns 2x10 min each
//	368  12  small moments: context switches, returns
//	380  24  residual of response bytes: moments, f32 anchor, lately, slow spread
//	404  24  residual of records, likewise
//	428   8  f32 slow spreads: bytes, records 10m
//	436   8  mix of routes: f32 bits of the open ten minutes, CUSUM
//	444   4  risk: mini of the windows before, mini of these ten minutes
//	448  24  display name, zero-padded; a longer one is cut and ends in "…"
//	472 552  tail, by kind
//
// Kinds: 1 caller, 2 credential, 3 session, 4 user, 5 address, 6 network,
// 7 device, 8 route, 9 login. The tail of 1 to 4, from offset 472:
//
//	  0  48  6 slots: devices          48  8  their novelty
//	 56  64  8 slots: networks        120  8  their novelty
//	128  16  4 small: companions
//	144  16  4 small: countries       160  8  their novelty
//	168  52  hours: 24 u8 weekday, 24 u8 weekend, f32 scale
//	220  64  16 small: endpoints
//	284  64  steps between them: 16 rows of 16 counts of two bits, a row an end
//	348   4  u16: the last endpoint; bits: endpoints of these ten minutes
//	352  64  recent objects: two Bloom filters of 4 u64, current and previous
//	416  16  4 small: API versions, by sessions that used them
//	432  12  f32 e-CUSUM, f32 mean e-value, mini variance of what is typical, bits of the session's: u8
//	         methods, u8 versions
//	444   8  u32 contexts: the last, the one before (hashes; bit 0: it was unfamiliar)
//	452   4  last accepted
//	456   8  accepted in open buckets: u16 new objects 10m, 1h, companions 10m;
//	         i16 y of bytes in 1/2048
//	464   8  8 u8: methods, by sessions that used them
//	472  36  challenger: 5 f32 mean, u32 last, 5 u8 n, u8 ordinary, sessions, days,
//	         flags, -, mini requests of an hour
//	508   8  behaviour: u8 candidate, streak, 2 -; u16 day of the last novelty; u8
//	         hours active since the last look, -
//	516   4  typical: i16 mean in 1/2048, u8 windows, u8 responses of the open one
//	520  30  walk: 3 u32 last numbers, 3 u16 their routes, small novelty adjacent,
//	         foreign; u8 k, n of these ten minutes, of each
//	550   2  u16 CUSUM of the sequence, in 1/1024 bits
//
// Of 5, 6, 7 and 9: 112 spare; sign-ins: 2 HyperLogLogs of names that failed (24
// bytes each: these ten minutes, those before), u16 3x10 min attempts, failures,
// successes, moments of such names; 360 spare.
//
// Of 8: moments of log2(1+bytes) and of log2(1+records) of all accepted
// responses, u32 who was last learned from, 3 peaks: bytes, records, bytes where
// records were counted; 16 small: routes before this one, f32 how many times;
// novelty of adjacent and of foreign objects; 416 spare.
//
// Layout 3 had a ring of 24 hours, wider companions and distinct objects. Layout 2
// had the common fields in another order. In layout 1 the fields of errors,
// mistakes, spreads, versions, methods and "last learned from" were others, which
// nothing was ever written to; reading such a record clears them (migrate.go).
//
// # Memory
//
// Records in use lie in a slab, updated in place. One that has to make room goes
// to the level below it if it is established (Established accepted requests),
// packed, and comes back on its next sight; else it is dropped. Config.Memory
// caps both levels together, and a 64th of it for who has touched which object
// of the API (owners.go); of the rest:
//
//	below 128 MiB   all is slab: the level below takes 44 MiB at the least
//	from 128 MiB    an eighth of the whole, in whole multiples of 32 MiB and at least one, is
//	                packed records; 3/8 of that again their index; the rest slab
//
// In the slab a record takes 1,037.25 bytes all in: 12 of index at load 2/3, 1
// of class and its part of a chunk list beside its own. Packed it takes 200
// (an address) to 600 bytes. 128MiB are 81,920 records in the slab and about
// 60,000 below it, 1200MiB 1,015,808 and about 240,000. The slab's index is
// reserved for the cap and never grows, so there is no moment with two of them.
// Slab, index and packed records are mapped outside the Go heap and become
// resident as they are touched (arena_mmap.go says why); the collector never
// sees them. The index of the level below is fastcache's: Go maps.
//
// The level below is a ring of writes. It holds what came down last, and
// forgets what came down first whether or not that is still wanted: a record
// that keeps going up and down takes a new place each time. Stats tells both
// apart from what was dropped, and Retention how much of all was kept.
//
// # Snapshot, format version 1
//
// data_dir holds directories snapshot-NNNNNNNN, of which the file CURRENT
// names the one that counts, followed by a newline. Each holds a file
// "profiles":
//
//	header   8 magic "wonted\0P"
//	         4 u32 format version = 1
//	         2 u16 record layout version, 2 u16 record size
//	         8 u64 when, seconds since the epoch
//	        64 key id, zero-padded
//	         8 sum
//	block    8 u64 n, 1 to 256
//	    n*1024 records
//	         8 sum
//	...
//	trailer  8 u64 0
//	         8 u64 records in all blocks
//	         8 sum
//
// A sum is the XXH3-64 of its part, seeded with the sum before it (the first
// with 0); nothing follows the trailer. A record may come twice, if it was
// evicted and created anew, or changed its level, while the file was written:
// the later "last seen" is it.
//
// The file holds the records of both levels, whole and alike. fastcache's own
// files are not used: they fit one size of cache only, are not synced, and hold
// what was overwritten or forgotten as well. So a snapshot loads into any amount
// of memory; LoadReport says how many records there was no room for. Saving
// after a Forget leaves one snapshot, the new one: the older ones, and those set
// aside, know who was forgotten. Scorer.Forget reaches what else is kept.
//
// Names that end in .tmp are saves that broke off, names that end in
// .bad-<reason> snapshots that could not be used: torn, foreign, version, key.
// Others may keep files of their own in data_dir, by the same rules: see
// ReplaceFile and SetAside.
package profile
