package profile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// layout1 are the bytes that mean something else since layout 1, by kind.
var layout1 = map[Kind][][2]int{
	KindCaller:  {{88 + 92, 12}, {272 + 20, 4}, {296 + 20, 4}, {464, 8}, {472 + 496, 16}, {472 + 522, 2}, {472 + 544, 8}},
	KindAddress: {{88 + 92, 12}, {272 + 20, 4}, {296 + 20, 4}, {464, 8}},
	KindRoute:   {{88 + 92, 12}, {272 + 20, 4}, {296 + 20, 4}, {464, 8}, {472 + 24, 4}},
}

// A record of layout 1 keeps all but what means something else now.
func TestMigrateFromLayout1(t *testing.T) {
	for kind, changed := range layout1 {
		old := bytes.Repeat([]byte{1}, RecordSize) // small numbers, whatever is read into them
		old[16], old[17] = 1, byte(kind)
		want := bytes.Clone(old)
		want[16] = Version
		for _, c := range changed {
			clear(want[c[0] : c[0]+c[1]])
		}
		var r Record
		if err := Decode(old, &r); err != nil {
			t.Fatal(err)
		}
		for i, b := range Encode(nil, &r) {
			if b != want[i] {
				t.Errorf("%v: byte %d is %d, want %d", kind, i, b, want[i])
			}
		}
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
		!strings.Contains(text, "; their layout 1 was brought up to 2; 1 more were refused (no profile record: layout version 77, and this wonted reads 1 to 2).") {
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
		!strings.Contains(unfit.text, "have layout 3 of 1024 bytes, and this wonted reads layouts 1 to 2 of 1024; the wonted that made it can read it") {
		t.Errorf("a newer layout: %v", err)
	}
}
