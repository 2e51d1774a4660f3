package profile

import (
	"sync"
	"testing"
	"unsafe"
)

func TestRecordsLieOnWholeLines(t *testing.T) {
	s := New(Default())
	defer s.Close()
	if at := uintptr(unsafe.Pointer(&s.slab.records[0])); at%64 != 0 {
		t.Errorf("the slab begins %d bytes after a line", at%64)
	}
	if size := unsafe.Sizeof(shard{}); size%128 != 0 {
		t.Errorf("a shard takes %d bytes: its neighbour's lock travels with it", size)
	}
}

// What a request looks at of an address, a network or a device is in the first
// four lines, and of a route in the first and three more.
func TestLinesOfARequest(t *testing.T) {
	var r Record
	end := func(base, field unsafe.Pointer, size uintptr) uintptr { return uintptr(field) - uintptr(base) + size }
	start := unsafe.Pointer(&r)
	for name, last := range map[string]uintptr{
		"usual errors": end(start, unsafe.Pointer(&r.Baseline.Errors10m), unsafe.Sizeof(r.Baseline.Errors10m)),
		"tried routes": end(start, unsafe.Pointer(&r.Tried), unsafe.Sizeof(r.Tried)),
		"anchors":      end(start, unsafe.Pointer(&r.Anchors), unsafe.Sizeof(r.Anchors)),
	} {
		if last > 4*64 {
			t.Errorf("%s end at %d", name, last)
		}
	}
	p := r.Population()
	if from, to := end(start, unsafe.Pointer(&r.Name), 0)/64, (end(start, unsafe.Pointer(&p.Foreign), unsafe.Sizeof(p.Foreign))-1)/64; to-from > 2 {
		t.Errorf("a population takes lines %d to %d", from, to)
	}
}

// What is asked for is what is then found, and asking changes nothing.
func TestHintsLeadToTheRecord(t *testing.T) {
	s := newStore(8<<20, 0)
	defer s.Close()
	const n = 4000
	for i := range uint64(n) {
		visit(s, Key{i, 1}, KindCaller, 1, 1)
	}
	before := s.Stats()
	led := 0
	for i := range uint64(2 * n) {
		k := Key{i, 1}
		s.Expect(&Keys{KindCaller: k, KindAddress: k})
		s.Fetch(&Keys{KindCaller: k, KindAddress: k, KindRoute: {i, 2}})
		h := k.hash()
		slot, ok := s.indexOf(h).hint(uint32(h))
		found, there := s.shard(h).index.find(uint32(h), k, s.slab.records)
		if ok != there || ok && slot != found {
			t.Fatalf("key %d: hint %d %t, found %d %t", i, slot, ok, found, there)
		}
		if ok {
			led++
		}
	}
	if led != n {
		t.Errorf("%d of %d keys have a hint", led, n)
	}
	if after := s.Stats(); after != before {
		t.Errorf("asking changed the store: %+v, then %+v", before, after)
	}
}

// Hints take no lock, while others create, evict and forget.
func TestHintsBesideChanges(t *testing.T) {
	s := newStore(1<<20, 0)
	defer s.Close()
	var wg sync.WaitGroup
	for g := range uint64(4) {
		wg.Go(func() {
			for i := range uint64(20_000) {
				k := Key{i * (g + 1) % 5000, 1}
				s.Expect(&Keys{KindCaller: k})
				s.Fetch(&Keys{KindCaller: k})
				visit(s, k, KindCaller, uint32(i), 1)
				if i%64 == g {
					s.Forget(k)
				}
			}
		})
	}
	wg.Wait()
	if st := s.Stats(); st.EvictedProbation+st.EvictedProtected == 0 || st.Total == 0 {
		t.Errorf("nothing was evicted: %+v", st)
	}
}

func TestExpectingAllocatesNothing(t *testing.T) {
	s := New(Default())
	defer s.Close()
	var keys Keys
	for k := range keys[1:] {
		keys[k+1] = Key{uint64(k), 3}
		visit(s, keys[k+1], Kind(k+1), 1, 1)
	}
	if n := testing.AllocsPerRun(100, func() { s.Expect(&keys); s.Fetch(&keys) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
