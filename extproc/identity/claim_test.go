package identity

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"
)

// reference looks a path up in the generated type, as lookup does on the wire.
func reference(s *structpb.Struct, path string) *structpb.Value {
	for range maxPath {
		if v, ok := s.GetFields()[path]; ok {
			return v
		}
		first, rest, dotted := strings.Cut(path, ".")
		next, ok := s.GetFields()[first].GetKind().(*structpb.Value_StructValue)
		if !dotted || !ok {
			return nil
		}
		s, path = next.StructValue, rest
	}
	return nil
}

// agree compares one lookup with the generated type's.
func agree(t interface{ Fatalf(string, ...any) }, encoded []byte, s *structpb.Struct, path string) {
	var got value
	ok := lookup(encoded, path, &got)
	want := reference(s, path)
	if ok != (want != nil) {
		t.Fatalf("path %q: found is %v, structpb says %v", path, ok, want)
	}
	switch kind := want.GetKind().(type) {
	case *structpb.Value_StringValue:
		if got.kind != 3 || string(got.bytes) != kind.StringValue {
			t.Fatalf("path %q: %+v, want string %q", path, got, kind.StringValue)
		}
	case *structpb.Value_NumberValue:
		if got.kind != 2 || math.Float64bits(got.number) != math.Float64bits(kind.NumberValue) {
			t.Fatalf("path %q: %+v, want number %v", path, got, kind.NumberValue)
		}
	default:
		if text := got.text(new([]byte)); text != nil {
			t.Fatalf("path %q: %q names somebody, structpb has %T", path, text, kind)
		}
	}
}

func drawStruct(t *rapid.T, depth int) *structpb.Struct {
	s := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		key := rapid.StringOfN(rapid.SampledFrom([]rune("ab.é")), 0, 3, -1).Draw(t, "key")
		s.Fields[key] = drawValue(t, depth)
	}
	return s
}

func drawValue(t *rapid.T, depth int) *structpb.Value {
	kinds := 4
	if depth > 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return structpb.NewStringValue(rapid.String().Draw(t, "string"))
	case 1:
		return structpb.NewNumberValue(rapid.Float64().Draw(t, "number"))
	case 2:
		return structpb.NewBoolValue(rapid.Bool().Draw(t, "bool"))
	case 3:
		return structpb.NewNullValue()
	case 4:
		return structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{drawValue(t, depth-1)}})
	}
	return structpb.NewStructValue(drawStruct(t, depth-1))
}

// TestLookupAgainstStructpb: the walk over the wire finds what the generated
// type finds.
func TestLookupAgainstStructpb(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStruct(t, 3)
		encoded, err := proto.Marshal(s)
		if err != nil {
			t.Fatalf("%v", err)
		}
		path := rapid.StringOfN(rapid.SampledFrom([]rune("ab.é")), 0, 6, -1).Draw(t, "path")
		agree(t, encoded, s, path)
		for key := range s.Fields { // paths that exist, too
			agree(t, encoded, s, key)
			agree(t, encoded, s, key+".a")
		}
	})
}

func TestNumbers(t *testing.T) {
	f := func(n float64, want string) {
		t.Helper()
		room := make([]byte, 0, 32)
		v := value{kind: 2, number: n}
		if got := string(v.text(&room)); got != want {
			t.Errorf("%v is written %q, want %q", n, got, want)
		}
	}
	f(42, "42")
	f(0, "0")
	f(1234567890123, "1234567890123")
	f(0.5, "0.5")
	f(math.NaN(), "")
	f(math.Inf(1), "")
	f(9007199254740991, strconv.FormatInt(1<<53-1, 10))
}

// FuzzStruct: no bytes make the walk fail, and what the generated type can
// decode without repeated parts the walk reads alike.
func FuzzStruct(f *testing.F) {
	s, err := structpb.NewStruct(map[string]any{"a": map[string]any{"b": "c"}, "n": 1.5})
	if err != nil {
		f.Fatal(err)
	}
	b, err := proto.Marshal(s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, "a.b")
	f.Add([]byte{0x0a, 0x05, 0x0a, 0x01}, "a")
	f.Fuzz(func(t *testing.T, encoded []byte, path string) {
		lookup(encoded, path, new(value))
		s := new(structpb.Struct)
		if proto.Unmarshal(encoded, s) != nil {
			return
		}
		// Written again there is nothing that protobuf would have merged.
		encoded, err := proto.Marshal(s)
		if err != nil {
			t.Fatalf("%v", err)
		}
		agree(t, encoded, s, path)
	})
}

// The short way through field agrees with protowire on everything of two bytes
// and what may follow them.
func TestFieldAgreesWithProtowire(t *testing.T) {
	short := 0
	for tag := range 256 {
		for length := range 256 {
			for _, rest := range []int{0, 1, 126, 127, 128, 200, 300} {
				b := append([]byte{byte(tag), byte(length)}, bytes.Repeat([]byte{1}, rest)...)
				num, typ, body, after := field(b)
				want, wantTyp, n := protowire.ConsumeTag(b)
				size := -1
				if n >= 0 {
					size = protowire.ConsumeFieldValue(want, wantTyp, b[n:])
				}
				if size < 0 {
					if num != 0 || after != nil {
						t.Fatalf("% x…: field %d of what is none", b[:2], num)
					}
					continue
				}
				if num != want || typ != wantTyp || len(after) != len(b)-n-size {
					t.Fatalf("% x… and %d bytes: field %d of type %d, want %d of %d", b[:2], rest, num, typ, want, wantTyp)
				}
				if typ == protowire.BytesType {
					content, _ := protowire.ConsumeBytes(b[n:])
					if !bytes.Equal(body, content) {
						t.Fatalf("% x… and %d bytes: body of %d, want %d", b[:2], rest, len(body), len(content))
					}
					short++
				}
			}
		}
	}
	if short < 1000 {
		t.Fatalf("only %d fields of bytes", short)
	}
}
