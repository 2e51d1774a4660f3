package profile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
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

// common3 are the fields of layout 3 behind the header and their order there, as
// its description had them, and tail3 those of habits.
type (
	common3 struct {
		Requests10s            [6]uint16
		Requests1m             [10]uint16
		Requests10m            [6]uint16
		Errors10m, Mistakes10m [3]uint16
		Requests1h             [24]uint16
		Precedents             [10]uint16
		Anchors                [6]float32
		Usual                  struct {
			Requests1m, Requests10m, Requests1h, Errors10m, New10m, New1h, Bytes10m, Bytes1h, Records10m, Companions10m window.Moments
		}
		New1m                        [10]uint16
		New10m, Bytes10m, Records10m [6]uint16
		Companions10m                [2]uint16
		Bytes, Records               Residual
		Spreads                      struct{ Bytes10m, Records10m float32 }
		Name                         Name
	}
	tail3 struct {
		Devices          [6]window.Slot
		DeviceNovelty    window.Novelty
		Networks         [8]window.Slot
		NetworkNovelty   window.Novelty
		Companions       [4]window.Slot
		CompanionNovelty window.Novelty
		Countries        [4]window.SmallSlot
		CountryNovelty   window.Novelty
		Hours            window.Hours
		Endpoints        [16]window.SmallSlot
		Bigrams          [64]uint8
		Last             [4]uint16
		_                uint32
		Objects          window.Bloom
		Distinct         [2]window.HLL
		Versions         [4]window.SmallSlot
		Evidence         float32
		Elevated         uint32
		AlertDay         uint16
		Session          struct{ Methods, Versions uint8 }
		Before           struct{ Device, Network uint32 }
		LastAccepted     uint32
		Open             struct{ New10m, New1h, Companions10m, _ uint16 }
		Methods          [8]uint8
	}
)

// A record of layout 3 keeps what was ever written to, but for the objects of two
// days and the hours that are over.
func TestMigrateFromLayout3(t *testing.T) {
	for _, kind := range []Kind{KindCaller, KindUser, KindAddress, KindRoute} {
		old := numbered(3, kind)
		copy(old[28:], []byte{0x40, 0x42, 0x0F, 0x40}) // last seen, in hour 2 of its day
		var was common3
		if n, err := binary.Decode(old[64:472], binary.LittleEndian, &was); err != nil || n != 472-64 {
			t.Fatal(n, err)
		}
		var r, want Record
		if err := Decode(old, &r); err != nil {
			t.Fatal(err)
		}
		copy(want.bytes()[:64], old)
		want.Version = Version
		hour := was.Requests1h[want.LastSeen/3600%24]
		want.Rings = Rings{was.Requests10s, was.Requests1m, was.Requests10m, was.Errors10m, was.Mistakes10m, hour, was.Precedents}
		want.HabitRings = HabitRings{New1m: was.New1m, New10m: was.New10m, Bytes10m: was.Bytes10m, Records10m: was.Records10m, Companions10m: was.Companions10m}
		u := &was.Usual
		want.Baseline = Baseline{
			Requests1m: u.Requests1m, Requests10m: u.Requests10m, Requests1h: u.Requests1h, Errors10m: u.Errors10m,
			New10m: u.New10m, New1h: u.New1h, Bytes10m: u.Bytes10m, Records10m: u.Records10m, Companions10m: u.Companions10m,
		}
		want.Anchors, want.Bytes, want.Records, want.Spreads, want.Name = was.Anchors, was.Bytes, was.Records, was.Spreads, was.Name
		if !kind.habitual() {
			copy(want.bytes()[472:], old[472:])
		} else {
			var had tail3
			if n, err := binary.Decode(old[472:], binary.LittleEndian, &had); err != nil || n != 552 {
				t.Fatal(n, err)
			}
			h := want.Habits()
			*h = Habits{
				Devices: had.Devices, DeviceNovelty: had.DeviceNovelty, Networks: had.Networks, NetworkNovelty: had.NetworkNovelty,
				Countries: had.Countries, CountryNovelty: had.CountryNovelty, Hours: had.Hours, Endpoints: had.Endpoints,
				Objects: had.Objects, Versions: had.Versions, Evidence: had.Evidence,
				Session: had.Session, LastAccepted: had.LastAccepted, Methods: had.Methods,
			}
			h.Open.New10m, h.Open.New1h, h.Open.Companions10m = had.Open.New10m, had.Open.New1h, had.Open.Companions10m
			for i, c := range had.Companions {
				if got := window.SmallSlots(r.Habits().Companions[:]).Weight(uint16(c.ID)); math.Abs(got-float64(c.Weight)) > 0.01 {
					t.Errorf("companion %d weighs %v, and weighed %v", i, got, c.Weight)
				}
			}
			h.Companions = r.Habits().Companions
		}
		want.sanitise()
		if r != want {
			t.Errorf("%v: %+v, want %+v", kind, r, want)
		}
	}
}

// A record of layout 2 keeps everything, in other places.
func TestMigrateFromLayout2(t *testing.T) {
	// The fields of layout 2 and their bytes there, as its description had them.
	type common struct {
		Name        Name
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
		Bytes       Residual
		Records     Residual
		Requests    [3]window.Moments
		Objects     [4]window.Moments // new, bytes
		Records10mU window.Moments
		Errors10mU  window.Moments
		Switch10mU  window.Moments
		Anchors     [6]float32
		Spreads     struct{ Bytes10m, Records10m float32 }
	}
	for _, kind := range []Kind{KindCaller, KindAddress, KindRoute} {
		old := numbered(2, kind)
		var was common
		if n, err := binary.Decode(old[64:472], binary.LittleEndian, &was); err != nil || n != 472-64 {
			t.Fatal(n, err)
		}
		var is common3
		is.Requests10s, is.Requests1m, is.Requests10m, is.Requests1h = was.Requests10s, was.Requests1m, was.Requests10m, was.Requests1h
		is.Errors10m, is.Mistakes10m, is.Precedents, is.Anchors = was.Errors10m, was.Mistakes10m, was.Precedents, was.Anchors
		u := &is.Usual
		u.Requests1m, u.Requests10m, u.Requests1h, u.Errors10m = was.Requests[0], was.Requests[1], was.Requests[2], was.Errors10mU
		u.New10m, u.New1h, u.Bytes10m, u.Bytes1h = was.Objects[0], was.Objects[1], was.Objects[2], was.Objects[3]
		u.Records10m, u.Companions10m = was.Records10mU, was.Switch10mU
		is.New1m, is.New10m, is.Bytes10m, is.Records10m, is.Companions10m = was.New1m, was.New10m, was.Bytes10m, was.Records10m, was.Switch10m
		is.Bytes, is.Records, is.Spreads, is.Name = was.Bytes, was.Records, was.Spreads, was.Name
		third := bytes.Clone(old)
		third[16] = 3
		if n, err := binary.Encode(third[64:472], binary.LittleEndian, &is); err != nil || n != 472-64 {
			t.Fatal(n, err)
		}
		var r, want Record
		if err := errors.Join(Decode(old, &r), Decode(third, &want)); err != nil {
			t.Fatal(err)
		}
		if r != want {
			t.Errorf("%v: %+v, want %+v", kind, r, want)
		}
	}
}

// What a layout takes from the one before fills its place exactly.
func TestMigrationsFillTheRecord(t *testing.T) {
	f := func(name string, at, end int, parts []part) {
		t.Helper()
		for _, p := range parts {
			at += p.size
		}
		if at != end {
			t.Errorf("%s: the parts end at %d, want %d", name, at, end)
		}
	}
	f("layout 2, common", commonAt, tailAt, orderOf2[:])
	f("layout 3, common", commonAt, tailAt, orderOf3[:])
	f("layout 3, habits", tailAt, RecordSize, habitsOf3[:])
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
		!strings.Contains(text, "; their layout 1 was brought up to 4; 1 more were refused (no profile record: layout version 77, and this wonted reads 1 to 4).") {
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
		!strings.Contains(unfit.text, "have layout 5 of 1024 bytes, and this wonted reads layouts 1 to 4 of 1024; the wonted that made it can read it") {
		t.Errorf("a newer layout: %v", err)
	}
}
