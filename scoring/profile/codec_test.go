package profile

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/window"
)

func TestKinds(t *testing.T) {
	for k := KindCaller; int(k) < KindCount; k++ {
		if got, ok := ParseKind(k.String()); !ok || got != k || k.String() == "" {
			t.Errorf("kind %d is %q, which parses as %d, %v", k, k, got, ok)
		}
	}
	for _, name := range []string{"", "Caller", "nobody"} {
		if k, ok := ParseKind(name); ok {
			t.Errorf("ParseKind(%q) = %d", name, k)
		}
	}
	if s := Kind(200).String(); s != "" {
		t.Errorf("Kind(200) is %q", s)
	}
}

// The format's fields where the package comment says they are.
func TestLayout(t *testing.T) {
	var r Record
	r.Key, r.Version, r.Kind, r.LastSeen = Key{Hi: 0x0807060504030201, Lo: 0x100F0E0D0C0B0A09}, Version, KindCaller, 0xAABBCCDD
	r.Name[23] = 'n'
	r.Rings.Requests10s[0], r.HabitRings.Returns10m[1] = 0x0102, 0x0304
	r.Rings.Precedents[9], r.Anchors[0] = 0x0506, 1
	r.Baseline.Errors10m.N, r.Spreads.Bytes10m = 1, 1
	r.Baseline.Mix10m.M2 = 1
	r.Tried.Usual.M2, r.Contexts.Returns.M2, r.Mix.Up, r.Risk.Past = 0x0B0C, 0x0D0E, 1, 0x0F
	h := r.Habits()
	h.Devices[0].ID = 0x11
	h.Hours.Cells[1][23] = 0x22
	h.Endpoints[0].ID = 0x33
	h.Objects.Current[0] = 0x44
	h.Context.Before = 0x55
	h.LastAccepted, h.Open.Companions10m = 0x66, 0x77
	h.Steps[63], h.Last, h.Challenger.Flags, h.Behaviour.Candidate = 0x99, 0xAA, 0xBB, 0xCC
	h.Session.Methods, h.Numbers[2], h.Walk.ForeignNow.N, h.Order = 0xDD, 0xEE, 0xFF, 0x1011
	r.Open[1] = 0x88
	b := Encode(nil, &r)
	if len(b) != RecordSize {
		t.Fatalf("%d bytes", len(b))
	}
	for _, f := range []struct {
		offset int
		want   []byte
	}{
		{0, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, Version, byte(KindCaller)}},
		{28, []byte{0xDD, 0xCC, 0xBB, 0xAA}},
		{64, []byte{2, 1}},
		{140, []byte{6, 5}},
		{154, []byte{0x0C, 0x0B, 0, 0, 0x80, 0x3F}},
		{216, []byte{0, 0, 0x80, 0x3F}},
		{296, []byte{0, 0, 0x80, 0x3F}},
		{366, []byte{4, 3}},
		{378, []byte{0x0E, 0x0D}},
		{428, []byte{0, 0, 0x80, 0x3F}},
		{440, []byte{0, 0, 0x80, 0x3F, 0x0F}},
		{471, []byte{'n'}},
		{472, []byte{0x11}},
		{472 + 168 + 47, []byte{0x22}},
		{472 + 220, []byte{0x33}},
		{472 + 347, []byte{0x99, 0xAA}},
		{472 + 352, []byte{0x44}},
		{472 + 448, []byte{0x55, 0, 0, 0, 0x66}},
		{472 + 460, []byte{0x77}},
		{472 + 504, []byte{0xBB, 0, 0, 0, 0xCC}},
		{472 + 442, []byte{0xDD}},
		{472 + 528, []byte{0xEE}},
		{472 + 549, []byte{0xFF, 0x11, 0x10}},
		{62, []byte{0x88, 0}},
	} {
		if got := b[f.offset : f.offset+len(f.want)]; !bytes.Equal(got, f.want) {
			t.Errorf("at %d: % x, want % x", f.offset, got, f.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	var r Record
	f := func(want string, change func(b []byte) []byte) {
		t.Helper()
		b := Encode(nil, &Record{Header: Header{Version: Version, Kind: KindUser}})
		err := Decode(change(b), &r)
		if !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	f("1023 bytes", func(b []byte) []byte { return b[1:] })
	f("0 bytes", func(b []byte) []byte { return nil })
	f("layout version 9, and this wonted reads 1 to 4", func(b []byte) []byte { b[16] = 9; return b })
	f("layout version 0", func(b []byte) []byte { b[16] = 0; return b })
	f("unknown kind 0", func(b []byte) []byte { b[17] = 0; return b })
	f("unknown kind 10", func(b []byte) []byte { b[17] = 10; return b })
}

func TestDecodeSanitises(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	in := Record{Header: Header{Version: Version, Kind: KindCaller, Created: 10, LastSeen: 5}}
	in.Baseline.Mix10m = window.Moments{N: 3, Mean: nan, M2: 2}
	in.Baseline.New1h = window.Moments{N: -3, Mean: 1, M2: 2}
	in.Baseline.New10m = window.Moments{N: 3, Mean: 1, M2: 2}
	in.Anchors[5] = inf
	in.Spreads.Records10m = -1
	h := in.Habits()
	h.Devices[0] = window.Slot{ID: 7, Weight: nan}
	h.Devices[1] = window.Slot{ID: 8, Weight: 2}
	h.CountryNovelty = window.Novelty{N: 1, New: 2}
	h.Hours = window.Hours{Scale: -1}
	h.Evidence, h.Challenger.Mean[4], in.Mix.Sum = nan, inf, -1

	want := in
	want.LastSeen = 10
	want.Baseline.Mix10m, want.Baseline.New1h = window.Moments{}, window.Moments{}
	want.Anchors[5], want.Spreads.Records10m = 0, 0
	h = want.Habits()
	h.Devices[0] = window.Slot{}
	h.CountryNovelty.New = 1
	h.Hours = window.Hours{}
	h.Evidence, h.Challenger.Mean[4], want.Mix.Sum = 0, 0, 0

	var got Record
	if err := Decode(Encode(nil, &in), &got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("decoded %+v\nhabits %+v\nwant %+v\nhabits %+v", got, got.Habits(), want, want.Habits())
	}
}

// safe walks everything a scorer may compute with.
func safe(t interface{ Fatalf(string, ...any) }, r *Record) {
	views := []any{*r}
	switch {
	case r.Kind == KindRoute:
		views = append(views, *r.Population())
	case r.Kind.habitual():
		views = append(views, *r.Habits())
	default:
		views = append(views, *r.Crowd())
	}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			if m, ok := reflect.TypeAssert[window.Moments](v); ok && (m.N < 0 || m.M2 < 0) {
				t.Fatalf("%s is %+v", path, m)
			}
		case reflect.Array:
			if k := v.Type().Elem().Kind(); k == reflect.Struct || k == reflect.Array || k == reflect.Float32 {
				for i := range v.Len() {
					walk(path, v.Index(i))
				}
			}
		case reflect.Float32:
			if f := v.Float(); math.IsNaN(f) || math.Abs(f) > limit*1.01 {
				t.Fatalf("%s is %v", path, f)
			}
		}
	}
	for _, v := range views {
		walk("", reflect.ValueOf(v))
	}
}

func TestDecodeAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), RecordSize, RecordSize).Draw(t, "bytes")
		decodeAny(t, b, Kind(rapid.IntRange(1, KindCount-1).Draw(t, "kind")))
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0xFF}, RecordSize))
	f.Add(make([]byte, RecordSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		if err := Decode(b, &r); err == nil {
			safe(t, &r)
		}
		if len(b) == RecordSize {
			for k := KindCaller; int(k) < KindCount; k++ {
				decodeAny(t, b, k)
			}
		}
	})
}

// decodeAny decodes b with a header that passes, of every layout, and requires
// that the result is safe and decodes to itself.
func decodeAny(t interface{ Fatalf(string, ...any) }, b []byte, k Kind) {
	b[17] = byte(k)
	for b[16] = 1; b[16] <= Version; b[16]++ {
		decodeOne(t, b)
	}
}

func decodeOne(t interface{ Fatalf(string, ...any) }, b []byte) {
	var r, again Record
	if err := Decode(b, &r); err != nil {
		t.Fatalf("refused: %v", err)
	}
	safe(t, &r)
	if err := Decode(Encode(nil, &r), &again); err != nil || *again.bytes() != *r.bytes() {
		t.Fatalf("decoding twice differs (%v)", err)
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	r := Record{Header: Header{Version: Version, Kind: KindCaller}}
	b := make([]byte, 0, RecordSize)
	if n := testing.AllocsPerRun(100, func() {
		if Decode(Encode(b, &r), &r) != nil {
			panic("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
