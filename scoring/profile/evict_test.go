package profile

import "testing"

func TestFloodDoesNotEvictEstablished(t *testing.T) {
	s := small(t)
	for i := range uint64(1000) {
		visit(s, Key{i, 1}, KindCaller, Established, 1)
	}
	for i := range uint64(200) {
		visit(s, Key{i, 2}, KindRoute, 0, 1)
		visit(s, Key{i, 3}, KindLogin, 0, 1)
	}
	for i := range uint64(200_000) {
		visit(s, Key{i, 4}, KindCaller, uint32(i%2), uint32(2+i/100))
	}
	for i := range uint64(1000) {
		if !has(s, Key{i, 1}) {
			t.Fatalf("established caller %d was evicted", i)
		}
	}
	for i := range uint64(200) {
		if !has(s, Key{i, 2}) || !has(s, Key{i, 3}) {
			t.Fatalf("route %d was evicted", i)
		}
	}
	st := s.Stats()
	if st.EvictedProtected != 0 || st.EvictedProbation != st.Created-uint64(st.Total) || st.Total != st.CapacityRecords {
		t.Errorf("%+v", st)
	}
}

// At a cap full of established records newcomers get a sixteenth, once, from
// those unseen for longest.
func TestNewcomersGetASixteenth(t *testing.T) {
	s := small(t)
	capacity := s.Stats().CapacityRecords
	for i := range uint64(capacity * 2) { // twice, so that every shard is full
		visit(s, Key{i, 1}, KindCaller, Established, uint32(i+1))
	}
	evicted := s.Stats().EvictedProtected
	for i := range uint64(100_000) {
		visit(s, Key{i, 2}, KindCaller, 0, 1<<30)
	}
	lost := int(s.Stats().EvictedProtected - evicted)
	if limit := capacity/16 + len(s.shards); lost > limit || lost < capacity/32 {
		t.Errorf("a flood cost %d of %d established records, want about a sixteenth and at most %d", lost, capacity, limit)
	}
	newest := 0
	for i := range uint64(capacity / 2) {
		if has(s, Key{uint64(capacity*2) - 1 - i, 1}) {
			newest++
		}
	}
	if newest < capacity/2*99/100 {
		t.Errorf("only %d of the %d newest are left: the oldest had to go", newest, capacity/2)
	}
}

// A newcomer whose requests are accepted outlives those whose are not.
func TestNewcomerOutlivesAFlood(t *testing.T) {
	s := small(t)
	kept := 0
	const newcomers = 100
	for i := range uint64(newcomers) {
		visit(s, Key{i, 1}, KindCaller, 1, 1)
	}
	for i := range uint64(100_000) {
		visit(s, Key{i, 2}, KindCaller, 0, 2)
	}
	for i := range uint64(newcomers) {
		if has(s, Key{i, 1}) {
			kept++
		}
	}
	if kept != newcomers {
		t.Errorf("%d of %d newcomers are left", kept, newcomers)
	}
}

// Among equals the one unseen for longest goes, or nearly.
func TestEvictionIsNearlyLRU(t *testing.T) {
	s := small(t)
	capacity := uint64(s.Stats().CapacityRecords)
	n := capacity * 4
	for i := range n {
		visit(s, Key{i, 1}, KindCaller, 0, uint32(i+1))
		if i > 100 { // these keep coming
			visit(s, Key{i % 100, 1}, KindCaller, 0, uint32(i+1))
		}
	}
	for i := range uint64(100) {
		if !has(s, Key{i, 1}) {
			t.Errorf("%d keeps coming and was evicted", i)
		}
	}
	recent := 0
	for i := range capacity / 2 {
		if has(s, Key{n - 1 - i, 1}) {
			recent++
		}
	}
	if recent < int(capacity/2)*9/10 {
		t.Errorf("%d of the %d most recent are left", recent, capacity/2)
	}
}

// A shard of nothing but routes still has room for a newcomer.
func TestOnlyRoutes(t *testing.T) {
	s := small(t)
	for i := range uint64(50_000) {
		visit(s, Key{i, 1}, KindRoute, 0, uint32(i+1))
	}
	visit(s, Key{1, 2}, KindCaller, 0, 1<<30)
	if !has(s, Key{1, 2}) {
		t.Error("the newcomer has no record")
	}
}
