package calibrate

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/zeebo/xxh3"
)

var (
	testConfig = Config{Detectors: crowdNames, Slow: []int{0, 1}, Budget: Budget{PerIdentityDay: 0.001, PerDay: 50}, Slots: 2048}
	testMeta   = Meta{KeyID: "k1", Now: time.Unix(1_800_000_000, 0)}
)

// What is loaded is what was saved, and goes on as if nothing had happened.
func TestEncodeAndDecode(t *testing.T) {
	p := New(testConfig)
	c := newCrowd(11, p)
	for range 3 {
		c.day(400, 12, 2, nil)
	}
	c.day(400, 3, 1, nil)
	q, saved, err := Decode(p.Encode(testMeta), testConfig, testMeta.KeyID)
	if err != nil || !saved.Equal(testMeta.Now) {
		t.Fatalf("saved %v, %v", saved, err)
	}
	if !bytes.Equal(p.Encode(testMeta), q.Encode(testMeta)) {
		t.Error("what was loaded is not what was saved")
	}
	if a, b := p.Stats(), q.Stats(); a.Thresholds != b.Thresholds || a.Learning != b.Learning || a.Realised.Days != b.Realised.Days {
		t.Errorf("%+v, and loaded %+v", a, b)
	}
	for i := range p.tables.columns { // its tables as of now, as those that were loaded
		p.tables.columns[i].due = min(p.tables.columns[i].due, p.tables.columns[i].n)
	}
	for i := range p.tables.cells {
		sums := &p.tables.cells[i].sums
		sums.due = min(sums.due, sums.n)
	}
	p.restore()
	s := &Surprises{}
	for id := range 2000 {
		c.find(id, s)
		w := &Who{Key: hash(id), Cohort: uint8(id % 3), Level: uint8(id % 3), Now: c.now}
		if a, b := p.Score(w, s), q.Score(w, s); a != b {
			t.Fatalf("%+v, and loaded %+v", a, b)
		}
	}
}

// A detector that came later starts cold, one that is gone is forgotten, and the
// others keep what is known of them.
func TestDecodeWithOtherDetectors(t *testing.T) {
	p := New(testConfig)
	newCrowd(12, p).day(400, 12, 2, nil)
	cfg := testConfig
	cfg.Detectors = []string{"new", "b", "a"}
	q, _, err := Decode(p.Encode(testMeta), cfg, testMeta.KeyID)
	if err != nil {
		t.Fatal(err)
	}
	at := poolOf(2)
	if a, b := p.tables.columns[at*8+1], q.tables.columns[at*3+1]; a.n == 0 || math.Abs(a.n-b.n) > 1e-3 {
		t.Errorf("b had %v, has %v", a.n, b.n)
	}
	if n := q.tables.columns[at*3].n; n != 0 {
		t.Errorf("the new one has %v", n)
	}
}

// What is torn, foreign or another's is refused, for a reason of one word.
func TestDecodeRefuses(t *testing.T) {
	good := New(testConfig).Encode(testMeta)
	f := func(reason string, change func([]byte) []byte) {
		t.Helper()
		p, _, err := Decode(change(bytes.Clone(good)), testConfig, testMeta.KeyID)
		if bad, ok := err.(*unfit); !ok || p != nil || bad.Reason() != reason {
			t.Errorf("%v, want one that is %s", err, reason)
		}
	}
	f("torn", func(b []byte) []byte { return b[:len(b)/2] })
	f("torn", func(b []byte) []byte { b[200] ^= 1; return b })
	f("torn", func([]byte) []byte { return nil })
	f("torn", func(b []byte) []byte { return resum(append(b, 0)) })
	f("foreign", func(b []byte) []byte { b[0] = 'x'; return b })
	f("foreign", func([]byte) []byte { return []byte("PK\x03\x04 a zip of somebody's") })
	f("version", func(b []byte) []byte { b[8] = 9; return b })
	f("key", func(b []byte) []byte { b[headSize-keyIDSize] = 'x'; return resum(b) })
}

func resum(b []byte) []byte {
	b = b[:len(b)-sumSize]
	return binary.LittleEndian.AppendUint64(b, xxh3.Hash(b))
}

// Whatever bytes have the right checksum: no panic, and what is loaded scores.
func TestAnyBytesDecode(t *testing.T) {
	p := New(testConfig)
	c := newCrowd(13, p)
	c.day(300, 8, 2, nil)
	good := p.Encode(testMeta)
	rng := rand.New(rand.NewPCG(1, 1))
	loaded := 0
	for range 300 {
		b := bytes.Clone(good)
		for range 1 + rng.IntN(5) {
			b[headSize+rng.IntN(len(b)-headSize-sumSize)] = byte(rng.Uint32())
		}
		if rng.IntN(4) == 0 {
			b = b[:headSize+sumSize+rng.IntN(len(b)-headSize-sumSize)]
		}
		q, _, err := Decode(resum(b), testConfig, testMeta.KeyID)
		if err != nil {
			continue
		}
		loaded++
		d := newCrowd(14, q)
		d.now = c.now
		d.day(20, 2, 2, func(_ int, score, threshold float64, _ bool) {
			if !(score >= 0 && score <= MaxScore && threshold >= 1 && threshold <= MaxScore+capStep) {
				t.Fatalf("score %v, threshold %v", score, threshold)
			}
		})
	}
	if loaded == 0 {
		t.Error("nothing could be loaded")
	}
}
