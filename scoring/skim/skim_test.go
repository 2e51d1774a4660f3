package skim

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// tokens writes a walk down: keys with their colon, strings quoted.
func tokens(text string) string {
	var all []string
	w := Over([]byte(text))
	for {
		kind, s := w.Next()
		switch kind {
		case End:
			return strings.Join(all, " ")
		case Key:
			all = append(all, string(s)+":")
		case String:
			all = append(all, `"`+string(s)+`"`)
		case Scalar:
			all = append(all, string(s))
		default:
			all = append(all, string(kind))
		}
	}
}

func TestWalk(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := tokens(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	f(`{"a" : "b", "c":[1,-2.5e3,true,null,{}]}`, `{ a: "b" , c: [ 1 , -2.5e3 , true , null , { } ] }`)
	f(`{"a\"b\\":"\\\""}`, `{ a\"b\\: "\\\"" }`)
	f("\t[ ]\r\n", "[ ]")
	f("", "")
	f(`"a`, ``)           // cut off
	f(`{"a":"b\`, `{ a:`) // likewise
	f(`{"a":"b\"`, `{ a:`)
	f(`{a:'b'}`, `{ a : 'b' }`)
	f(`"a""b"`, `"a" "b"`)
	f(`}}]]`, `} } ] ]`)
}

// What encoding/json reads of a text is what a walk goes over.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\u00e4\ud83d\ude00",{"b":null}]}`, `"\\"`, `[[[`, `"\ud800"`, "\"\x80\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		w := Over(text)
		steps := 0
		for kind, _ := w.Next(); kind != End; kind, _ = w.Next() {
			if steps++; steps > len(text) {
				t.Fatal("it does not end")
			}
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			return
		}
		w = Over(text)
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		for {
			want, err := d.Token()
			if err == io.EOF {
				break
			}
			kind, s := w.Next()
			for kind == ',' {
				kind, s = w.Next()
			}
			switch want := want.(type) {
			case json.Delim:
				if kind != Kind(want) {
					t.Fatalf("%q: %c, want %c", text, kind, want)
				}
			case string:
				if kind != Key && kind != String || string(Unescape(nil, s)) != want {
					t.Fatalf("%q: %c %q, want %q", text, kind, s, want)
				}
			case json.Number:
				if string(s) != want.String() {
					t.Fatalf("%q: %q, want %q", text, s, want)
				}
			default:
				if kind != Scalar {
					t.Fatalf("%q: %c, want %v", text, kind, want)
				}
			}
		}
	})
}

func TestWalkAllocatesNothing(t *testing.T) {
	text := []byte(`{"method":"tools/call","params":{"name":"search","arguments":{"q":"\"x\"","n":[1,2]}}}`)
	if n := testing.AllocsPerRun(100, func() {
		w := Over(text)
		for kind, _ := w.Next(); kind != End; kind, _ = w.Next() {
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
