package profile

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// One caller after the other of a few: records in the processor's caches.
func BenchmarkAcquireHot(b *testing.B) {
	s := New(Default())
	defer s.Close()
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		i++
		rec, pin, _ := s.Acquire(Key{i & 63, 1}, KindCaller, 1)
		rec.Requests++
		pin.Release()
	}
}

// Any of a million callers: every record from memory.
func BenchmarkAcquireCold(b *testing.B) {
	s := million(b)
	b.ReportAllocs()
	rng := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		rec, pin, _ := s.Acquire(Key{rng.Uint64N(1_000_000), 1}, KindCaller, 1)
		rec.Requests++
		pin.Release()
	}
}

// A new caller a turn at a full cap: create and evict.
func BenchmarkAcquireFlood(b *testing.B) {
	s := New(Default())
	defer s.Close()
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		i++
		_, pin, _ := s.Acquire(Key{i, 1}, KindCaller, uint32(i))
		pin.Release()
	}
}

func BenchmarkAcquireParallel(b *testing.B) {
	s := New(Default())
	defer s.Close()
	b.RunParallel(func(pb *testing.PB) {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 0))
		for pb.Next() {
			rec, pin, _ := s.Acquire(Key{rng.Uint64N(50_000), 1}, KindCaller, 1)
			rec.Requests++
			pin.Release()
		}
	})
}

// What a million records are worth in resident memory, where there is room for
// all of them in every shard.
func BenchmarkMillionRecords(b *testing.B) {
	for b.Loop() {
		before := resident(b)
		s := million(b)
		after := resident(b)
		st := s.Stats()
		if st.Total != 1_000_000 || st.EvictedProbation+st.EvictedProtected != 0 {
			b.Fatalf("%d records, %d evicted", st.Total, st.EvictedProbation+st.EvictedProtected)
		}
		b.ReportMetric(float64(after-before)/1e6, "resident-B/record")
		b.ReportMetric(float64(st.Bytes)/1e6, "accounted-B/record")
		b.ReportMetric(float64(st.CapacityRecords), "capacity-records")
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}

func million(b *testing.B) *Store {
	s := New(Config{Memory: 1400 << 20})
	for i := range uint64(1_000_000) {
		rec, pin, _ := s.Acquire(Key{i, 1}, KindCaller, 1)
		rec.Requests++
		rec.Habits().Evidence = 1 // the far end: the whole record is touched
		pin.Release()
	}
	return s
}

// resident is the process's resident memory in bytes, of Linux.
func resident(b testing.TB) int {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatalf("resident memory is read from /proc: %v", err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(statm)[1]))
	if err != nil {
		b.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func BenchmarkSaveLoad(b *testing.B) {
	const n = 100_000
	s := New(Default())
	defer s.Close()
	for i := range uint64(n) {
		visit(s, Key{i, 1}, KindCaller, 1, 1)
	}
	dir := b.TempDir()
	b.SetBytes(n * RecordSize)
	for b.Loop() {
		if err := s.Save(dir, Meta{}); err != nil {
			b.Fatal(err)
		}
		loaded, _, err := Load(dir, Default(), Meta{})
		if err != nil {
			b.Fatal(err)
		}
		loaded.Close()
	}
}

// A caller that has gone longest comes back from the level below, and another
// goes down for it: a move each way a turn.
func BenchmarkPromoteEvict(b *testing.B) {
	s := New(Default())
	defer s.Close()
	for i := range uint64(s.Stats().CapacityRecords + 40_000) {
		rec, pin, _ := s.Acquire(Key{i, 1}, KindCaller, 1)
		usual(rec)
		pin.Release()
	}
	before := s.Stats()
	b.ReportAllocs()
	i := uint32(0)
	for b.Loop() {
		i++
		l := &s.shards[i%uint32(len(s.shards))].lower
		k := Key{}
		for n := l.tail; k == (Key{}); n++ {
			k = l.keys[l.place(n)]
		}
		_, pin, _ := s.Acquire(k, KindCaller, i+1)
		pin.Release()
	}
	after := s.Stats()
	b.ReportMetric(float64(after.Promoted-before.Promoted)/float64(b.N), "promoted/op")
	b.ReportMetric(float64(after.Stowed-before.Stowed)/float64(b.N), "stowed/op")
}

// A new caller a turn at a full cap, each asked for below first.
func BenchmarkAcquireFloodAboveLevelBelow(b *testing.B) {
	s := New(Default())
	defer s.Close()
	for i := range uint64(s.Stats().CapacityRecords + 20_000) {
		rec, pin, _ := s.Acquire(Key{i, 1}, KindCaller, 1)
		usual(rec)
		pin.Release()
	}
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		i++
		_, pin, _ := s.Acquire(Key{i, 2}, KindCaller, uint32(i))
		pin.Release()
	}
}
