package profile

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// twoLevels is a store of a thousand and some records, above the smallest
// level below that there is, of some fifty thousand.
func twoLevels(t testing.TB) *Store {
	s := newStore(2<<20, lowerGrain)
	t.Cleanup(s.Close)
	return s
}

// work lets the caller have n requests accepted in a record that looks usual.
func work(s *Store, k Key, n, now uint32) Handle {
	rec, pin, _ := s.Acquire(k, KindCaller, now)
	defer pin.Release()
	usual(rec)
	rec.Accepted, rec.LastSeen = n, max(rec.LastSeen, now)
	rec.Habits().Evidence = float32(k.Hi)
	return pin.Handle()
}

func TestHowMemoryIsSharedOut(t *testing.T) {
	f := func(memory, below Bytes) {
		t.Helper()
		s := New(Config{Memory: memory})
		defer s.Close()
		st := s.Stats()
		if got := lowerSize(memory); got != below || (s.lower != nil) != (below > 0) {
			t.Errorf("%v: %v below, want %v", memory, got, below)
		}
		if st.CapacityBytes > memory || st.CapacityBytes+Bytes(len(s.shards)*chunkCost) < memory {
			t.Errorf("%v: takes %d when full", memory, st.CapacityBytes)
		}
	}
	f(MinMemory, 0)
	f(lowerLeast-1, 0)
	f(lowerLeast, 32<<20)
	f(256<<20, 32<<20)
	f(512<<20, 64<<20)
	f(1200<<20, 128<<20)
}

func TestShardsDoNotShareCacheLines(t *testing.T) {
	if n := unsafe.Sizeof(shard{}); n%128 != 0 {
		t.Errorf("a shard takes %d bytes, which is no multiple of 128", n)
	}
}

// Established records leave the slab and come back as they were, handles
// included; newcomers are dropped.
func TestEstablishedComeBack(t *testing.T) {
	s := twoLevels(t)
	n := uint64(5 * s.Stats().CapacityRecords)
	handles := make([]Handle, n)
	for i := range n {
		handles[i] = work(s, Key{i, 1}, Established, uint32(i+1))
		visit(s, Key{i, 2}, KindCaller, Established-1, uint32(i+1))
	}
	st := s.Stats()
	if st.Below < int(n)/2 || st.EvictedProtected != 0 || st.Protected+st.Below != int(n) || st.Retention() != 1 {
		t.Fatalf("of %d established, %+v", n, st)
	}
	if st.EvictedProbation == 0 || st.EvictedProbation+uint64(st.Total+st.Below) != st.Created {
		t.Fatalf("%+v", st)
	}
	for i := range n {
		rec, pin, ok := s.FindHandle(handles[i])
		if !ok {
			t.Fatalf("established %d is gone", i)
		}
		var want Record
		usual(&want)
		want.Header = Header{Key: Key{i, 1}, Version: Version, Kind: KindCaller, Generation: handles[i].Generation,
			Created: uint32(i + 1), LastSeen: uint32(i + 1), Requests: 900, Accepted: Established, Sessions: 20}
		want.Habits().Evidence = float32(i)
		if *rec != want {
			t.Fatalf("established %d came back as %+v, want %+v", i, *rec, want)
		}
		pin.Release()
	}
	if after := s.Stats(); after.Promoted < n/2 || after.Created != st.Created || after.Protected+after.Below != int(n) {
		t.Errorf("%+v", after)
	}
}

// Against a map, with a slab so small that most of what is touched has to be
// fetched from below: no record is ever lost, doubled, older than it was, or
// back after it was forgotten.
func TestTwoLevelsAgainstMap(t *testing.T) {
	s := newStore(0, lowerGrain) // 16 records a shard
	defer s.Close()
	for seed := range uint64(8) {
		model := map[Key]uint32{}
		rng := rand.New(rand.NewPCG(seed, 0))
		for range 4000 {
			k := Key{rng.Uint64N(3000), seed}
			if rng.IntN(8) == 0 {
				if _, known := model[k]; s.Forget(k) != known {
					t.Fatalf("%v: known %v", k, known)
				}
				delete(model, k)
				continue
			}
			rec, pin, created := s.Acquire(k, KindCaller, 1)
			if want, known := model[k]; known == created || rec.Accepted != want {
				t.Fatalf("%v: created %v with %d, model %d", k, created, rec.Accepted, want)
			}
			rec.Accepted = max(rec.Accepted, Established) + 1
			model[k] = rec.Accepted
			pin.Release()
		}
		n := 0
		s.Range(func(r *Record) bool {
			if r.Accepted != model[r.Key] {
				t.Fatalf("%v: %d, want %d", r.Key, r.Accepted, model[r.Key])
			}
			n++
			return true
		})
		if st := s.Stats(); n != len(model) || st.Total+st.Below != n || st.Below == 0 || st.EvictedProtected != 0 {
			t.Fatalf("%d met, %d in the model: %+v", n, len(model), st)
		}
		for k := range model {
			if !s.Forget(k) {
				t.Fatalf("%v is gone", k)
			}
		}
		if st := s.Stats(); st.Total+st.Below != 0 {
			t.Fatalf("%+v", st)
		}
	}
}

// The level below is a ring: when it is full the oldest in it are overwritten,
// which is counted, and the newest are there.
func TestLevelBelowOverflows(t *testing.T) {
	s := twoLevels(t)
	const n = 70_000
	for i := range uint64(n) {
		work(s, Key{i, 1}, Established, uint32(i+1))
	}
	count := 0
	s.Range(func(r *Record) bool { // looks at every place, so that counts are exact
		count++
		return true
	})
	st := s.Stats()
	if st.Overwritten == 0 || st.Overwritten != st.EvictedProtected || st.Protected+st.Below != count || uint64(count)+st.Overwritten != n {
		t.Fatalf("%d met: %+v", count, st)
	}
	if want := float64(count) / n; st.Retention() != want {
		t.Errorf("retention %v, want %v", st.Retention(), want)
	}
	if st.Bytes > st.CapacityBytes {
		t.Errorf("takes %v of %v", st.Bytes, st.CapacityBytes)
	}
	newest := 0
	for i := range uint64(20_000) {
		if has(s, Key{n - 1 - i, 1}) {
			newest++
		}
	}
	if newest < 19_900 {
		t.Errorf("%d of the newest 20,000 are left, of %d in all", newest, count)
	}
	t.Logf("%d of %d kept", count, n)
}

// One that was overwritten below, made anew and sent down again is not taken
// for the old one when the old one's place is looked at.
func TestOldPlaceDoesNotCostTheNewRecord(t *testing.T) {
	s := newStore(0, lowerGrain)
	defer s.Close()
	k := Key{7, 7}
	var r Record
	r.Key, r.Kind, r.Version, r.Accepted = k, KindCaller, Version, Established
	l := &s.shard(k.hash()).lower
	l.stow(&r)
	s.lower.Del(k.bytes()[:]) // as if overwritten
	r.Accepted++
	l.stow(&r)
	met := 0
	s.Range(func(r *Record) bool {
		met++
		return r.Accepted == Established+1
	})
	if rec, pin, ok := s.Find(k); met != 1 || !ok || rec.Accepted != Established+1 || l.lost != 1 || l.live != 0 {
		t.Errorf("met %d, found %v, %d lost, %d live", met, ok, l.lost, l.live)
	} else {
		pin.Release()
	}
}

func TestMovingDoesNotAllocate(t *testing.T) {
	s := newStore(0, lowerGrain)
	defer s.Close()
	for range 3 { // once round, so that fastcache's maps have their size
		for i := range uint64(3000) {
			work(s, Key{i, 1}, Established, 1)
		}
	}
	i, before := uint64(0), s.Stats()
	allocs := testing.AllocsPerRun(5000, func() {
		i++
		_, pin, _ := s.Acquire(Key{i % 3000, 1}, KindCaller, 1)
		pin.Release()
	})
	if st := s.Stats(); allocs != 0 || st.Promoted-before.Promoted < 1000 || st.Stowed-before.Stowed < 1000 {
		t.Errorf("%v allocations, %+v", allocs, st)
	}
}

// A record that changes its level while a shard is visited is met all the same.
func TestRecordsThatMoveAreMet(t *testing.T) {
	s := newStore(0, lowerGrain)
	defer s.Close()
	for i := range uint64(64 * 200) {
		work(s, Key{i, 1}, Established, uint32(i+1))
	}
	sh := &s.shards[0]
	want, met := map[Key]bool{}, map[Key]int{}
	s.Range(func(r *Record) bool {
		if s.shard(r.Key.hash()) == sh {
			want[r.Key] = true
		}
		return true
	})
	pauses, up, down := 0, 0, sh.stowed
	if !sh.each(func(r *Record) bool { met[r.Key]++; return true }, func() bool {
		if pauses++; pauses == 1 { // half of those below have been met; the last have not
			for n := sh.lower.head - 8; n < sh.lower.head && up < 8; n++ {
				_, pin, ok := s.Find(sh.lower.keys[sh.lower.place(n)])
				if !ok {
					t.Fatal("nobody in the last place below")
				}
				up++
				pin.Release()
			}
		}
		return true
	}) {
		t.Fatal("stopped by itself")
	}
	if len(want) < 2*lowerStep || up != 8 || sh.stowed-down != 8 {
		t.Fatalf("%d records, %d went up, %d down", len(want), up, sh.stowed-down)
	}
	for k := range want {
		if met[k] == 0 {
			t.Errorf("%v was not met", k)
		}
	}
}
