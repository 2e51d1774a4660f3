package scoring

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/profile"
)

// anyRecord is what Decode makes of the bytes as a record of the kind.
func anyRecord(t testing.TB, b []byte, kind profile.Kind) (r profile.Record) {
	t.Helper()
	b = bytes.Clone(b)
	copy(b, make([]byte, 16)) // the key
	b[16], b[17] = profile.Version, byte(kind)
	if err := profile.Decode(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// checkMerge merges both ways: the same, sound, and nothing that Decode would
// have to mend.
func checkMerge(t testing.TB, s *Scorer, a, b *profile.Record) profile.Record {
	t.Helper()
	ab, ba, was := *a, *b, *b
	if !s.Merge(&ab, b) || !s.Merge(&ba, a) {
		t.Fatal("one identity, and not merged")
	}
	if *b != was {
		t.Error("what was merged into another is changed")
	}
	place := ab.Generation
	if place != a.Generation || ba.Generation != b.Generation {
		t.Error("a record has another place than before")
	}
	ba.Generation = place
	if one, other := profile.Encode(nil, &ab), profile.Encode(nil, &ba); !bytes.Equal(one, other) {
		for i := range one {
			if one[i] != other[i] {
				t.Fatalf("the order matters from byte %d on", i)
			}
		}
	}
	var again profile.Record
	if err := profile.Decode(profile.Encode(nil, &ab), &again); err != nil {
		t.Fatal(err)
	}
	if one, other := profile.Encode(nil, &ab), profile.Encode(nil, &again); !bytes.Equal(one, other) {
		for i := range one {
			if one[i] != other[i] {
				t.Fatalf("Decode had to mend byte %d", i)
			}
		}
	}
	return ab
}

var mergedKinds = []profile.Kind{profile.KindCaller, profile.KindAddress, profile.KindLogin, profile.KindRoute}

// Whatever two records hold, merging them goes well, and a request can be judged
// by the result.
func TestMergeAnything(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		rng := rand.New(rand.NewPCG(seed, 1))
		random := func() []byte {
			b := make([]byte, profile.RecordSize)
			for i := range b {
				b[i] = byte(rng.Uint32()) & byte(rng.Uint32()>>rng.IntN(9)) // small numbers as well
			}
			return b
		}
		for _, kind := range mergedKinds {
			a, b := anyRecord(t, random(), kind), anyRecord(t, random(), kind)
			if rng.IntN(2) == 0 { // of about the same time
				b.LastSeen = a.LastSeen + uint32(rng.IntN(7000))
				b.Created = min(b.Created, b.LastSeen)
			}
			checkMerge(t, w.scorer, &a, &b)
		}
	})
}

func FuzzMerge(f *testing.F) {
	s := New(Config{Store: profile.New(profile.Config{Memory: 16 << 20})})
	f.Add(bytes.Repeat([]byte{0xFF}, profile.RecordSize), make([]byte, profile.RecordSize))
	f.Add(bytes.Repeat([]byte{0x7F}, profile.RecordSize), bytes.Repeat([]byte{0x45}, profile.RecordSize))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if len(a) != profile.RecordSize || len(b) != profile.RecordSize {
			return
		}
		for _, kind := range mergedKinds {
			one, other := anyRecord(t, a, kind), anyRecord(t, b, kind)
			checkMerge(t, s, &one, &other)
		}
	})
}

func TestMergeRefusesStrangers(t *testing.T) {
	w := newWorld(t)
	a := profile.Record{Header: profile.Header{Key: profile.Key{Hi: 1}, Kind: profile.KindCaller, Requests: 3}}
	for _, b := range []profile.Header{{Key: profile.Key{Hi: 2}, Kind: profile.KindCaller, Requests: 1}, {Key: profile.Key{Hi: 1}, Kind: profile.KindUser, Requests: 1}} {
		if w.scorer.Merge(&a, &profile.Record{Header: b}) || a.Requests != 3 {
			t.Errorf("%+v was taken in", b)
		}
	}
}

func TestMergeAllocatesNothing(t *testing.T) {
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(5, 6))
	for _, kind := range mergedKinds {
		b := make([]byte, profile.RecordSize)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		one := anyRecord(t, b, kind)
		b[28]++ // last seen
		other := anyRecord(t, b, kind)
		if n := testing.AllocsPerRun(100, func() {
			sum := one
			w.scorer.Merge(&sum, &other)
		}); n != 0 {
			t.Errorf("%v: %v allocations", kind, n)
		}
	}
}

// A state that comes twice, late, or after a newer one counts once; and in
// whatever order they come, the whole is the same.
func TestReplicasCountEveryStateOnce(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	type message struct {
		replica uint64
		record  profile.Record
	}
	var sent []message
	for replica := range uint64(3) {
		w.scorer = New(Config{Store: profile.New(profile.Config{Memory: 16 << 20}), Routes: w.routes})
		w.store = w.scorer.store
		t.Cleanup(w.store.Close)
		w.now = monday
		for range 4 {
			w.days(1, acme)
			rec := w.record(profile.KindCaller, "acme")
			Number(&rec, seconds(w.now))
			sent = append(sent, message{replica, rec})
		}
	}
	var want profile.Record
	for run := range 20 {
		w.rng.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
		var r Replicas
		last := map[uint64]uint32{}
		for range 2 {
			for i := range sent {
				m := &sent[i]
				if news := r.Take(m.replica, &m.record); news != (m.record.Sequence > last[m.replica]) {
					t.Fatalf("sequence %d after %d: news %v", m.record.Sequence, last[m.replica], news)
				}
				last[m.replica] = max(last[m.replica], m.record.Sequence)
			}
		}
		whole, ok := w.scorer.Whole(&r)
		if whole.Generation = 0; !ok {
			t.Fatal("nobody")
		}
		if run == 0 {
			want = whole
		}
		if whole != want {
			t.Fatal("the order in which they came matters")
		}
	}
	requests := uint32(0)
	for i := range sent {
		if seconds(monday)+4*aDay == sent[i].record.Sequence {
			requests += sent[i].record.Requests
		}
	}
	if want.Requests != requests || requests == 0 {
		t.Errorf("%d requests of %d", want.Requests, requests)
	}
}

func TestReplicasAreBounded(t *testing.T) {
	var r Replicas
	for i := range uint64(1000) {
		r.Take(i%500, &profile.Record{Header: profile.Header{Kind: profile.KindCaller, Sequence: uint32(i + 1), LastSeen: uint32(i)}})
	}
	if len(r.views) != mostReplicas {
		t.Fatalf("%d replicas are kept", len(r.views))
	}
	for i := range r.views {
		if r.views[i].record.LastSeen < 1000-mostReplicas {
			t.Errorf("one of %d is kept", r.views[i].record.LastSeen)
		}
	}
	if r.Take(499, &profile.Record{Header: profile.Header{Key: profile.Key{Lo: 1}, Kind: profile.KindCaller, Sequence: 1 << 31}}) {
		t.Error("another identity was taken")
	}
}

// What is handed out after a restart from an older snapshot is news.
func TestNumbersGoOnAfterARestart(t *testing.T) {
	var rec profile.Record
	Number(&rec, 100)
	snapshot := rec
	for now := range uint32(50) {
		Number(&rec, 101+now)
		Number(&rec, 101+now)
	}
	restarted := snapshot
	if Number(&restarted, 300); restarted.Sequence <= rec.Sequence {
		t.Errorf("%d after %d", restarted.Sequence, rec.Sequence)
	}
}

func BenchmarkMerge(b *testing.B) {
	w := newWorld(b)
	w.days(8, &customer{name: "acme"})
	one := w.record(profile.KindCaller, "acme")
	other := one
	other.LastSeen -= 3000
	b.ReportAllocs()
	for b.Loop() {
		sum := one
		w.scorer.Merge(&sum, &other)
	}
}
