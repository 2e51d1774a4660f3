package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// count meters a body in chunks of n bytes; n <= 0 is all at once.
func count(contentType, body string, n int) int64 {
	var m RecordMeter
	m.Reset([]byte(contentType), nil)
	for b := []byte(body); len(b) > 0; {
		k := len(b)
		if n > 0 {
			k = min(n, k)
		}
		m.Write(b[:k])
		b = b[k:]
	}
	return m.Records()
}

func TestRecords(t *testing.T) {
	f := func(contentType, body string, want int64) {
		t.Helper()
		for n := range 5 {
			if got := count(contentType, body, n); got != want {
				t.Errorf("%s %q in chunks of %d: %d records, want %d", contentType, body, n, got, want)
			}
		}
	}
	const js, nd = "application/json", "application/x-ndjson"
	f(js, "", 0)
	f(js, "  \n", 0)
	f(js, "[]", 0)
	f(js, "[ ]", 0)
	f(js, `{"data":[]}`, 0)
	f(js, `[1,2,3]`, 3)
	f(js, `["a]","[b","\"],[","\\",""]`, 5)
	f(js, `[[1,2],[3,4,5],[]]`, 3)
	f(js, `[{"tags":[]},{"tags":[1,2,3,4,5]}]`, 5)
	f(js, `[{"tags":[1,2,3,4,5]},{"tags":[]}]`, 5)
	f(js, `[{"tags":[1,2]},{"tags":[3,4]},{"tags":[5,6]}]`, 3) // lists in two elements do not add up
	f(js, `[[1,2,3],[{"a":[1,2],"b":[3,4]},5]]`, 4)            // those in one do
	f(js, `[[[1],[2]],[[3],[4]],[[5,6,7,8]]]`, 4)
	f(js, `{"data":[{},{},{}],"errors":["x"]}`, 4)
	f(js, `{"errors":["x"],"data":[{},{},{}]}`, 4)
	f(js, `{"id":1,"tags":["a","b"]}`, 2)
	f(js, `{"id":1,"tags":["a"],"roles":[{"in":["x","y","z"]}]}`, 3)
	f(js, `{"data":{"a":[1,2],"b":[3,4],"c":{"d":[5]}}}`, 5) // aliases
	f(js, `[{"data":{"a":[1,2],"b":[3,4]}}]`, 4)             // in a batch of one
	f(js, `[{"data":{"a":[1,2,3]}},{"data":{"a":[4]}}]`, 3)
	f(js, `[{"a":[]}]`, 1)
	f(js, `[{"a":[{"b":[]},{}],"c":[7]}]`, 3)
	f(js, `[[{"a":[[1,2,3],4]}]]`, 3) // the fourth array from outside
	f(js, `[[[[[1,2,3],[4,5]]]]]`, 2) // and the fifth is not looked into
	f(js, `[[[[[[1,2,3],[4,5]]]]]]`, 1)
	f(js, `[[[1,2]`, 2)
	f(js, `{"result":{"items":[{"a":1},{"a":2}]},"page":{"next":null}}`, 2)
	f(js, `{"id":1,"name":"x]"}`, 1)
	f(js, `{"id":1,"na`, 0) // not whole yet
	f(js, `{}`, 1)
	f(js, `"a string \" with ] and \\"`, 1)
	f(js, `-12.5e3`, 1)
	f(js, `null`, 1)
	f(js, "\xef\xbb\xbf[1,2]", 2)
	f(js, "[\n\t{\"a\" : [ ] } ,\r\n 2 ]\n", 2)
	f(js, `[1,2`, 2) // cut: what has begun has left
	f(js, `[1,`, 1)
	f(js, `[{"a":`, 1)
	f(js, "{\"a\":1}\n{\"a\":2}\n", 2) // NDJSON under the wrong name
	f(js, "[1,2,3] [4,5]", 5)
	f(js, "1 2 3", 3)
	f(js, `"a""b"`, 2)
	f(js, "<html><body>[1,2,3]</body>", -1)
	f(js, ")]}',\n[1,2]", -1)
	f(js, "[1,2,3]]]]]", 3) // broken, but counted before
	f(js, "hello", -1)
	f(nd, "", 0)
	f(nd, "{\"a\":1}", 1)
	f(nd, "{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}", 3)
	f(nd, "{\"tags\":[1]}\n{\"tags\":[]}\n", 2)
	f(nd, "{\"items\":[1,2,3,4,5]}\n{\"items\":[1]}\n", 6)
	f(nd, "[{\"data\":[1,2,3]}]\n", 3)
	f(nd, "[{\"data\":[1,2,3]}]\n{}\n{}\n{}\n", 4)
	f("application/json-seq", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", 2)
	f("text/html", "[1,2]", -1)
	f("", "[1,2]", -1)
}

func TestContentTypes(t *testing.T) {
	f := func(contentType, contentEncoding string, want format) {
		t.Helper()
		var m RecordMeter
		m.Reset([]byte(contentType), []byte(contentEncoding))
		if m.format != want {
			t.Errorf("%q %q: format %d, want %d", contentType, contentEncoding, m.format, want)
		}
		if tells := m.Records() >= 0; tells != (want != opaque) {
			t.Errorf("%q %q: Records() = %d", contentType, contentEncoding, m.Records())
		}
	}
	f("application/json", "", document)
	f("Application/JSON; charset=utf-8", "identity", document)
	f(" application/vnd.api+json ;v=1", "Identity", document)
	f("application/graphql-response+json", "", document)
	f("text/json", "", document)
	f("application/x-ndjson", "", sequence)
	f("application/jsonl;x", "", sequence)
	f("application/stream+json", "", sequence)
	f("application/geo+json-seq", "", sequence)
	f("application/json", "gzip", opaque)
	f("application/json", "br", opaque)
	f("application/json, text/html", "", opaque)
	f("application/jsonp", "", opaque)
	f("+json", "", opaque)
	f("text/event-stream", "", opaque)
	f("", "", opaque)
}

// TestShapes: whoever may choose the shape of an answer cannot make ten thousand
// records look like a few.
func TestShapes(t *testing.T) {
	const n = 10_000
	orders := func(n int) string {
		return "[" + strings.Repeat(`{"id":1},`, n-1) + `{"id":1}]`
	}
	f := func(name, body string) {
		t.Helper()
		for _, size := range []int{0, 1, 4096} {
			if got := count("application/json", body, size); got != n {
				t.Errorf("%s in chunks of %d: %d records, want %d", name, size, got, n)
			}
		}
	}
	f("a page", `{"data":{"orders":`+orders(n)+`}}`)
	f("a batch of one", `[{"data":{"orders":`+orders(n)+`}}]`)
	f("a batch of one with all in one edge", `[{"data":{"customers":[{"orders":`+orders(n)+`}]}}]`)
	aliases := `{"a":` + orders(200) + strings.Repeat(`,"b":`+orders(200), 49) + `}`
	f("aliases", `{"data":`+aliases+`}`)
	f("aliases in a batch of one", `[{"data":`+aliases+`}]`)
	f("a batch of two", `[`+orders(n)+`,[]]`)
	f("a batch of two, the empty one first", `[[],`+orders(n)+`]`)
	f("a call and another", `[{"jsonrpc":"2.0","id":1,"result":`+orders(n)+`},{"jsonrpc":"2.0","id":2,"result":[]}]`)
	f("aliases in a batch of two", `[{"data":`+aliases+`},{"data":null}]`)
	f("in the last of a hundred", `[`+strings.Repeat(`{"id":1,"tags":["a","b"]},`, 99)+`{"lines":`+orders(n)+`}]`)
}

// TestDeep holds the promise that nesting needs no stack.
func TestDeep(t *testing.T) {
	const n = 1 << 20
	body := strings.Repeat("[", n) + strings.Repeat("]", n)
	if got := count("application/json", body, 0); got != 1 {
		t.Errorf("%d nested arrays: %d records, want 1", n, got)
	}
	body = strings.Repeat(`{"a":`, n) + "[1,2,3]" + strings.Repeat("}", n)
	if got := count("application/json", body, 0); got != 3 {
		t.Errorf("array under %d objects: %d records, want 3", n, got)
	}
}

// reference counts with encoding/json what RecordMeter counts without: for every
// element of an array, and for the body as a whole, the elements of the arrays
// inside it that are inside no further one. ok is false for what is not a
// sequence of JSON values.
func reference(seq bool, body []byte) (records int64, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var values, all int64
	var arrays bool
	var visit func(around int, within *int64) error
	visit = func(around int, within *int64) error {
		token, err := d.Token()
		switch {
		case err != nil:
			return err
		case token == json.Delim('['):
			arrays = true
			for d.More() {
				if *within++; around < levels {
					records = max(records, *within)
				}
				if err := visit(around+1, new(int64)); err != nil {
					return err
				}
			}
		case token == json.Delim('{'):
			for d.More() {
				if _, err := d.Token(); err != nil { // the name
					return err
				}
				if err := visit(around, within); err != nil {
					return err
				}
			}
		default:
			return nil
		}
		_, err = d.Token() // the end
		return err
	}
	for {
		if err := visit(0, &all); err == io.EOF {
			break
		} else if err != nil {
			return 0, false
		}
		values++
	}
	switch {
	case seq || values > 1:
		return max(records, values), true
	case arrays:
		return records, true
	}
	return values, true
}

// drawValue draws a JSON value and writes it with random white space.
func drawValue(t *rapid.T, b *strings.Builder, depth int) {
	space := func() { b.WriteString(rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "space")) }
	str := func() {
		s := rapid.StringOf(rapid.SampledFrom([]rune("ab[]{},:\"\\/é\n☃"))).Draw(t, "string")
		enc, _ := json.Marshal(s)
		b.Write(enc)
	}
	space()
	defer space()
	kinds := 5
	if depth == 0 {
		kinds = 3
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		str()
	case 1:
		fmt.Fprintf(b, "%d", rapid.Int().Draw(t, "number"))
	case 2:
		b.WriteString(rapid.SampledFrom([]string{"true", "false", "null", "-1.5e+7"}).Draw(t, "word"))
	case 3:
		b.WriteString("[")
		space()
		for i := range rapid.IntRange(0, 4).Draw(t, "elements") {
			if i > 0 {
				b.WriteString(",")
			}
			drawValue(t, b, depth-1)
		}
		b.WriteString("]")
	case 4:
		b.WriteString("{")
		space()
		for i := range rapid.IntRange(0, 4).Draw(t, "members") {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(b, `"%d`, i) // distinct: encoding/json would fold equal names
			str := strings.Builder{}
			enc, _ := json.Marshal(rapid.StringOf(rapid.SampledFrom([]rune("]}\"\\,"))).Draw(t, "name"))
			str.Write(enc[1:])
			b.WriteString(str.String())
			space()
			b.WriteString(":")
			drawValue(t, b, depth-1)
		}
		b.WriteString("}")
	}
}

// TestAgainstEncodingJSON: on valid documents the meter, fed in random chunks,
// agrees with a real parser, and never counts down on the way.
func TestAgainstEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 3).Draw(t, "values") {
			drawValue(t, &b, 4)
			b.WriteString("\n")
		}
		body, seq := []byte(b.String()), rapid.Bool().Draw(t, "sequence")
		want, ok := reference(seq, body)
		if !ok {
			t.Fatalf("the generator wrote what is not JSON: %q", body)
		}
		var m RecordMeter
		m.Reset([]byte(map[bool]string{false: "application/json", true: "application/x-ndjson"}[seq]), nil)
		var last int64
		for rest := body; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
			m.Write(rest[:n])
			rest = rest[n:]
			if m.Records() < last {
				t.Fatalf("%q: the count fell from %d to %d", body, last, m.Records())
			}
			last = m.Records()
		}
		if m.Records() != want {
			t.Fatalf("%q: %d records, encoding/json says %d", body, m.Records(), want)
		}
	})
}

// FuzzSplit: any bytes, cut anywhere, count as the whole does; and where they
// are JSON, as encoding/json does.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"data":[{"a":"]\\\""},{}],"x":[]}`), uint16(3), uint16(9), false)
	f.Add([]byte("{\"a\":1}\n{\"a\":\"\\u00e9\"}"), uint16(1), uint16(1), true)
	f.Add([]byte(`[[[[`), uint16(2), uint16(0), false)
	f.Add([]byte("\xef\xbb\xbf\"\\\\\\\""), uint16(4), uint16(5), false)
	f.Fuzz(func(t *testing.T, body []byte, a, b uint16, seq bool) {
		contentType := "application/json"
		if seq {
			contentType = "application/x-ndjson"
		}
		whole := count(contentType, string(body), 0)
		if got := count(contentType, string(body), 1); got != whole {
			t.Fatalf("%q byte by byte: %d records, whole: %d", body, got, whole)
		}
		i := int(a) % (len(body) + 1)
		j := i + int(b)%(len(body)-i+1)
		var m RecordMeter
		m.Reset([]byte(contentType), nil)
		m.Write(body[:i])
		m.Write(body[i:j])
		m.Write(body[j:])
		if m.Records() != whole {
			t.Fatalf("%q cut at %d and %d: %d records, whole: %d", body, i, j, m.Records(), whole)
		}
		// encoding/json is asked about single documents only: in a sequence it
		// takes "00" for two numbers.
		if len(body) < 4096 && json.Valid(body) {
			if want, ok := reference(seq, body); ok && want != whole {
				t.Fatalf("%q: %d records, encoding/json says %d", body, whole, want)
			}
		}
	})
}

func TestWriteAllocatesNothing(t *testing.T) {
	body := page(100)
	contentType := []byte("application/json; charset=utf-8")
	var m RecordMeter
	if n := testing.AllocsPerRun(100, func() {
		m.Reset(contentType, nil)
		m.Write(body[:1000])
		m.Write(body[1000:])
	}); n != 0 {
		t.Errorf("%v allocations a body, want 0", n)
	}
	if m.Records() != 100 {
		t.Errorf("%d records, want 100", m.Records())
	}
}

// page is a response as APIs send them.
func page(records int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"data":[`)
	for i := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"Customer \"%d\"","email":"c%d@example.com","address":{"street":"1 Long Lane","city":"Anytown"},"tags":["a","b"],"note":"nothing of note has been said about this one"}`, i, i, i)
	}
	b.WriteString(`],"next":null}`)
	return b.Bytes()
}

func BenchmarkWrite(b *testing.B) {
	body := page(1000)
	for _, size := range []int{64 << 10, 4 << 10} {
		b.Run(fmt.Sprintf("chunks of %d KiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var m RecordMeter
			for b.Loop() {
				m.Reset([]byte("application/json"), nil)
				for rest := body; len(rest) > 0; {
					n := min(size, len(rest))
					m.Write(rest[:n])
					rest = rest[n:]
				}
			}
		})
	}
}
