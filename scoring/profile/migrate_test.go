package profile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/scoring/window"
)

// layout1 are the bytes of layout 2 that meant something else in layout 1, by kind.
var layout1 = map[Kind][]part{
	KindCaller:  {{88 + 92, 12}, {272 + 20, 4}, {296 + 20, 4}, {464, 8}, {472 + 496, 16}, {472 + 522, 2}, {472 + 544, 8}},
	KindAddress: {{88 + 92, 12}, {272 + 20, 4}, {296 + 20, 4}, {464, 8}},
	KindRoute:   {{88 + 92, 12}, {272 + 20, 4}, {296 + 20, 4}, {464, 8}, {472 + 24, 4}},
}

// numbered is a record of small numbers, whatever is read into them, that tell
// the fields of the old layouts apart.
func numbered(version byte, kind Kind) []byte {
	b := make([]byte, RecordSize)
	for i := range b {
		if b[i] = byte(1 + i/4%63); i%4 == 3 {
			b[i] = 0x40 // a float between 2 and 4
		}
	}
	b[16], b[17] = version, byte(kind)
	return b
}

// A record of layout 1 keeps all but what means something else now.
func TestMigrateFromLayout1(t *testing.T) {
	for kind, changed := range layout1 {
		var first, second Record
		old := numbered(1, kind)
		if err := Decode(old, &first); err != nil {
			t.Fatal(err)
		}
		old[16] = 2
		for _, c := range changed {
			clear(old[c.at : c.at+c.size])
		}
		if err := Decode(old, &second); err != nil {
			t.Fatal(err)
		}
		if first != second {
			t.Errorf("%v: as layout 1 %+v, as layout 2 %+v", kind, first, second)
		}
	}
}

// A record of layout 2 keeps everything, in other places.
func TestMigrateFromLayout2(t *testing.T) {
	// The fields of layout 2 and their bytes there, as its description had them.
	type common struct {
		Rings struct {
			Requests10s [6]uint16
			Requests1m  [10]uint16
			Requests10m [6]uint16
			Requests1h  [24]uint16
			Errors10m   [3]uint16
			Mistakes10m [3]uint16
			New1m       [10]uint16
			New10m      [6]uint16
			Precedents  [10]uint16
			Bytes10m    [6]uint16
			Records10m  [6]uint16
			Switch10m   [2]uint16
		}
		Bytes, Records Residual
		Baseline       struct {
			Requests1m, Requests10m, Requests1h, New10m, New1h, Bytes10m, Bytes1h, Records10m, Errors10m, Switch10m window.Moments
		}
		Anchors [6]float32
		Spreads struct{ Bytes10m, Records10m float32 }
	}
	for _, kind := range []Kind{KindCaller, KindAddress, KindRoute} {
		old := numbered(2, kind)
		var was common
		if _, err := binary.Decode(old[88:472], binary.LittleEndian, &was); err != nil {
			t.Fatal(err)
		}
		var r, want Record
		if err := Decode(old, &r); err != nil {
			t.Fatal(err)
		}
		// Header and tail are where they were.
		copy(want.bytes()[:64], old)
		copy(want.bytes()[472:], old[472:])
		want.sanitise()
		want.Version = Version
		copy(want.Name[:], old[64:88])
		o, b := &was.Rings, &was.Baseline
		want.Rings = Rings{o.Requests10s, o.Requests1m, o.Requests10m, o.Errors10m, o.Mistakes10m, o.Requests1h, o.Precedents}
		want.HabitRings = HabitRings{o.New1m, o.New10m, o.Bytes10m, o.Records10m, o.Switch10m}
		want.Bytes, want.Records, want.Anchors, want.Spreads = was.Bytes, was.Records, was.Anchors, was.Spreads
		want.Baseline = Baseline{
			Requests1m: b.Requests1m, Requests10m: b.Requests10m, Requests1h: b.Requests1h, Errors10m: b.Errors10m,
			New10m: b.New10m, New1h: b.New1h, Bytes10m: b.Bytes10m, Bytes1h: b.Bytes1h, Records10m: b.Records10m, Switch10m: b.Switch10m,
		}
		if r != want {
			t.Errorf("%v: %+v, want %+v", kind, r, want)
		}
	}
	total := commonAt
	for _, p := range orderOf2 {
		total += p.size
	}
	if total != 472 {
		t.Errorf("the parts end at %d", total)
	}
}

// A snapshot of an older wonted loads and says so; one record in it that nobody
// can read costs that record, by name.
func TestLoadOlderLayout(t *testing.T) {
	var b bytes.Buffer
	e, err := newEncoder(&b, testMeta)
	if err != nil {
		t.Fatal(err)
	}
	// The header again, of layout 1.
	header := bytes.Clone(b.Bytes()[:headerSize])
	binary.LittleEndian.PutUint16(header[12:], 1)
	b.Reset()
	e.sum = 0
	if err := e.emit(header[:headerSize-8]); err != nil {
		t.Fatal(err)
	}
	var block []byte
	for i := range 3 {
		block = Encode(block, &Record{Header: Header{Key: Key{uint64(i), 1}, Version: 1, Kind: KindCaller, Accepted: 9}})
	}
	block[2*RecordSize+16] = 77
	if err := e.block(block); err != nil {
		t.Fatal(err)
	}
	if err := e.end(); err != nil {
		t.Fatal(err)
	}
	s := small(t)
	report, err := s.decode(&b, testMeta)
	if err != nil {
		t.Fatal(err)
	}
	report.Snapshot = "snapshot-00000001"
	text := report.String()
	if report.Records != 2 || report.Dropped != 1 || report.Refused != 1 ||
		!strings.Contains(text, "; their layout 1 was brought up to 3; 1 more were refused (no profile record: layout version 77, and this wonted reads 1 to 3).") {
		t.Errorf("%+v: %s", report, text)
	}
	rec, pin, ok := s.Find(Key{1, 1})
	if !ok || rec.Version != Version || rec.Accepted != 9 {
		t.Errorf("%+v", rec)
	}
	pin.Release()

	binary.LittleEndian.PutUint16(header[12:], Version+1)
	b.Reset()
	e.sum = 0
	if err := e.emit(header[:headerSize-8]); err != nil {
		t.Fatal(err)
	}
	var unfit *badSnapshot
	if _, err := s.decode(&b, testMeta); !errors.As(err, &unfit) || unfit.reason != reasonVersion ||
		!strings.Contains(unfit.text, "have layout 4 of 1024 bytes, and this wonted reads layouts 1 to 3 of 1024; the wonted that made it can read it") {
		t.Errorf("a newer layout: %v", err)
	}
}
