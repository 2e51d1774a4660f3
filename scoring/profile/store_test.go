package profile

import (
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// small is a store that holds only some seven thousand records.
func small(t testing.TB) *Store {
	s := New(Config{Memory: MinMemory})
	t.Cleanup(s.Close)
	return s
}

// visit lets key be accepted n times at now, and returns its handle.
func visit(s *Store, k Key, kind Kind, n, now uint32) Handle {
	rec, pin, _ := s.Acquire(k, kind, now)
	defer pin.Release()
	rec.Requests++
	rec.Accepted += n
	rec.LastSeen = max(rec.LastSeen, now)
	return pin.Handle()
}

func has(s *Store, k Key) bool {
	_, pin, ok := s.Find(k)
	pin.Release()
	return ok
}

func TestAcquire(t *testing.T) {
	s := small(t)
	k := Key{1, 2}
	rec, pin, created := s.Acquire(k, KindSession, 77)
	if want := (Record{Header: Header{Key: k, Version: Version, Kind: KindSession, Generation: 1, Created: 77, LastSeen: 77}}); !created || *rec != want {
		t.Errorf("created %v: %+v", created, rec.Header)
	}
	rec.Requests = 5
	pin.Release()

	again, pin, created := s.Acquire(k, KindSession, 99)
	if created || again != rec || again.Requests != 5 || again.Created != 77 || again.LastSeen != 77 {
		t.Errorf("created %v: %+v", created, again.Header)
	}
	pin.Release()
	if _, _, ok := s.Find(Key{2, 1}); ok {
		t.Error("found somebody who never came")
	}
}

func TestHandlesNameOneIncarnation(t *testing.T) {
	s := small(t)
	k := Key{3, 4}
	f := func(h Handle, want bool) {
		t.Helper()
		rec, pin, ok := s.FindHandle(h)
		if ok != want || ok && rec.Key != k {
			t.Errorf("FindHandle(%v) = %v, want %v", h, ok, want)
		}
		pin.Release()
	}
	f(Handle{}, false)
	first := visit(s, k, KindCaller, 1, 1)
	f(first, true)
	if !s.Forget(k) || s.Forget(k) || has(s, k) {
		t.Error("forgetting once is enough, and never is twice")
	}
	f(first, false)
	second := visit(s, k, KindCaller, 0, 1)
	f(first, false)
	f(second, true)
	// Evicted and created anew, in whatever slot: still another one.
	for i := range uint64(20_000) {
		visit(s, Key{i, 0xF1}, KindCaller, 0, 2)
	}
	f(second, false)
	third := visit(s, k, KindCaller, 1, 3)
	f(second, false)
	f(third, true)
	f(Handle{Key: Key{9, 9}, Generation: 1}, false)
}

func TestForgetErases(t *testing.T) {
	s := small(t)
	k := Key{5, 6}
	rec, pin, _ := s.Acquire(k, KindUser, 1)
	copy(rec.Name[:], "alice")
	pin.Release()
	s.Forget(k)
	for i := range s.slab.records {
		if s.slab.records[i] != (Record{}) {
			t.Fatalf("slot %d still holds %q", i, s.slab.records[i].Name)
		}
	}
	if st := s.Stats(); st.Total != 0 || st.Records[KindUser] != 0 || st.Probation != 0 {
		t.Errorf("%+v", st)
	}
	visit(s, Key{5, 7}, KindUser, 1, 1)
}

// A store that is nowhere near its cap behaves as a map does.
func TestStoreAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(Config{Memory: MinMemory})
		defer s.Close()
		model := map[Key]uint32{}
		// Few keys in one shard, so that runs in the index meet.
		key := rapid.Custom(func(t *rapid.T) Key { return Key{0, rapid.Uint64Range(0, 200).Draw(t, "key")} })
		t.Repeat(map[string]func(*rapid.T){
			"acquire": func(t *rapid.T) {
				k := key.Draw(t, "k")
				rec, pin, created := s.Acquire(k, KindCaller, 1)
				if _, known := model[k]; known == created || rec.Key != k || rec.Requests != model[k] {
					t.Fatalf("%v: created %v, record %+v, model %d", k, created, rec.Header, model[k])
				}
				rec.Requests++
				model[k]++
				pin.Release()
			},
			"forget": func(t *rapid.T) {
				k := key.Draw(t, "k")
				if _, known := model[k]; s.Forget(k) != known {
					t.Fatalf("%v: known %v", k, known)
				}
				delete(model, k)
			},
			"": func(t *rapid.T) {
				n := 0
				s.Range(func(r *Record) bool {
					if r.Requests != model[r.Key] {
						t.Fatalf("%v: %d requests, want %d", r.Key, r.Requests, model[r.Key])
					}
					n++
					return true
				})
				if n != len(model) || s.Stats().Total != n {
					t.Fatalf("%d records, stats %d, want %d", n, s.Stats().Total, len(model))
				}
			},
		})
	})
}

// The index alone, crowded and with colliding tags, against a map.
func TestIndexAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const slots = 20
		x := make(index, slots*3/2)
		records := make([]Record, slots)
		for slot := range records {
			records[slot].Key.Lo = uint64(slot)
		}
		tagOf := func(slot uint32) uint32 { return uint32(records[slot].Key.Hi) }
		present := map[uint32]bool{}
		tag := rapid.SampledFrom([]uint32{0, 1, 1 << 28, 1<<32 - 1, 1<<32 - 2})
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			slot := rapid.Uint32Range(0, slots-1).Draw(t, "slot")
			if present[slot] {
				x.remove(tagOf(slot), slot)
				delete(present, slot)
			} else {
				records[slot].Key = Key{uint64(tag.Draw(t, "tag")), uint64(slot)}
				x.insert(tagOf(slot), slot)
				present[slot] = true
			}
			used := 0
			for _, e := range x {
				if e != 0 {
					used++
				}
			}
			if used != len(present) {
				t.Fatalf("%d entries, want %d", used, len(present))
			}
			for slot := range uint32(slots) {
				if got, ok := x.find(tagOf(slot), records[slot].Key, records); ok != present[slot] || ok && got != slot {
					t.Fatalf("slot %d: found %d, %v, want %v", slot, got, ok, present[slot])
				}
			}
		}
	})
}

func TestRange(t *testing.T) {
	s := small(t)
	for i := range uint64(3000) {
		visit(s, Key{i, 0}, KindDevice, 0, 1)
	}
	n := 0
	s.Range(func(r *Record) bool {
		r.Accepted = Established
		n++
		return n < 1000
	})
	if n != 1000 {
		t.Errorf("visited %d after being told to stop at 1000", n)
	}
	if st := s.Stats(); st.Protected != 999 || st.Probation != 2001 {
		t.Errorf("%d protected, %d on probation: what Range changes counts, but for the last", st.Protected, st.Probation)
	}
	func() {
		defer func() { _ = recover() }()
		s.Range(func(*Record) bool { panic("a bug in the visitor") })
	}()
	s.Stats() // no lock was left behind
}

func TestStats(t *testing.T) {
	s := small(t)
	for i := range uint64(100) {
		visit(s, Key{i, 1}, KindCaller, uint32(i%2)*Established, 1)
	}
	visit(s, Key{0, 2}, KindRoute, 0, 1)
	st := s.Stats()
	if st.Records[KindCaller] != 100 || st.Records[KindRoute] != 1 || st.Total != 101 || st.Probation != 50 || st.Protected != 50 || st.Created != 101 {
		t.Errorf("%+v", st)
	}
	if st.Bytes == 0 || st.Bytes > st.CapacityBytes || st.CapacityBytes > MinMemory || st.CapacityRecords < 7000 {
		t.Errorf("bytes %v of %v for %d records", st.Bytes, st.CapacityBytes, st.CapacityRecords)
	}
	big := New(Config{Memory: 1200 << 20})
	defer big.Close()
	if st := big.Stats(); st.CapacityRecords < 1_000_000 || st.CapacityBytes > 1200<<20 {
		t.Errorf("1200MiB hold %d records in %v", st.CapacityRecords, st.CapacityBytes)
	}
}

// Everything at once, for the race detector, with as many keys as to evict.
func TestConcurrentUse(t *testing.T) {
	t.Run("one level", func(t *testing.T) { concurrentUse(t, small(t)) })
	t.Run("two levels", func(t *testing.T) { concurrentUse(t, twoLevels(t)) })
}

func concurrentUse(t *testing.T, s *Store) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(g, 0))
			for range 5000 {
				k := Key{rng.Uint64N(10_000), 0}
				rec, pin, _ := s.Acquire(k, KindCaller, 1)
				rec.Requests++
				rec.Habits().Evidence++
				if rec.Habits().Evidence != float32(rec.Requests) {
					t.Error("a record was written without its lock")
				}
				h := pin.Handle()
				pin.Release()
				if rec, pin, ok := s.FindHandle(h); ok {
					rec.Accepted += Established
					if rec.Key != k {
						t.Error("a handle found somebody else")
					}
					pin.Release()
				}
				if rng.IntN(100) == 0 {
					s.Forget(k)
				}
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			s.Range(func(r *Record) bool { return r.Kind == KindCaller })
			s.Stats()
			if err := s.Save(dir, Meta{}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}

func TestAcquireDoesNotAllocate(t *testing.T) {
	s := small(t)
	i := uint64(0)
	if n := testing.AllocsPerRun(20_000, func() { // the cap included
		i++
		rec, pin, _ := s.Acquire(Key{i, 0}, KindCaller, 1)
		rec.Requests++
		h := pin.Handle()
		pin.Release()
		if _, pin, ok := s.FindHandle(h); ok {
			pin.Release()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
