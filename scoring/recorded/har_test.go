package recorded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/scoring"
)

// TestChromiumHAR reads what headless Chromium has written down of a shop on
// this machine.
func TestChromiumHAR(t *testing.T) {
	file, err := os.Open("testdata/chromium.har")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := NewDecoder(file, Auto)
	var got []string
	for {
		r, err := d.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var ex scoring.Exchange
		if err := r.Fill(&ex); err != nil {
			t.Fatal(err)
		}
		r.Answer(&ex)
		r.Body(&ex)
		got = append(got, fmt.Sprintf("%d %s %s://%s%s %s from %s key %q: %d, %d bytes, %d records, end %d", d.Line(), ex.Method, ex.Scheme, ex.Host, ex.Path, ex.Protocol,
			ex.Source, r.Headers["x-api-key"], ex.Status, ex.ResponseBytes, ex.Records, r.End()))
	}
	const at = "http://127.0.0.1:36673"
	want := []string{
		"1 GET " + at + `/ HTTP/1.1 from 127.0.0.1 key []: 200, 85 bytes, -1 records, end 1`,
		"2 GET " + at + `/v1/orders?limit=10 HTTP/1.1 from 127.0.0.1 key ["redacted-key"]: 200, 333 bytes, 10 records, end 1`,
		"3 GET " + at + `/v1/orders?limit=25 HTTP/1.1 from 127.0.0.1 key ["redacted-key"]: 200, 828 bytes, 25 records, end 1`,
		"4 POST " + at + `/v1/login HTTP/1.1 from 127.0.0.1 key []: 401, 24 bytes, 1 records, end 1`,
		"5 GET " + at + `/old HTTP/1.1 from 127.0.0.1 key ["redacted-key"]: 302, -1 bytes, -1 records, end 1`,
		"6 GET " + at + `/v1/orders?limit=3 HTTP/1.1 from 127.0.0.1 key ["redacted-key"]: 200, 108 bytes, 3 records, end 1`,
		"7 GET " + at + `/missing HTTP/1.1 from 127.0.0.1 key []: 404, -1 bytes, -1 records, end 1`,
		"8 GET http://127.0.0.1:1/ HTTP/1.1 from 127.0.0.1 key []: 0, -1 bytes, -1 records, end 0",
	}
	if diff := cmp.Diff(want, got); diff != "" || d.Format() != HAR {
		t.Errorf("%s, -want +got:\n%s", d.Format(), diff)
	}
}

const entry = `{"startedDateTime":"2026-01-01T01:00:00.5+01:00","time":-1,"request":{"method":"GET","url":"https://a.example"},"response":{"status":200,"content":{"size":7,"mimeType":"application/json","text":"[1,2]"}}}`

func TestHARDocuments(t *testing.T) {
	f := func(format Format, text string, want ...string) {
		t.Helper()
		d := NewDecoder(strings.NewReader(text), format)
		var got []string
		for len(got) < 100 {
			r, err := d.Next()
			if err == io.EOF {
				break
			}
			if _, bad := errors.AsType[*LineError](err); bad {
				got = append(got, err.Error())
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d %s%s %s", d.Line(), r.Host, r.Path, r.Time.Format("15:04:05.0")))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.100s: -want +got:\n%s", text, diff)
		}
	}
	const a = "a.example/ 00:00:00.5"
	f(Auto, `{"log":{"entries":[]}}`)
	f(Auto, "\xef\xbb\xbf \n{ \"log\" : {\n \"version\":\"1.2\", \"entries\" : [ "+entry+" , "+entry+" ] } }", "1 "+a, "2 "+a)
	f(HAR, `{"_comment":{"log":[{}]},"log":{"pages":[{"entries":"]}\""}],"n":-1.5e3,"t":true,"entries":[`+entry+`]}}`, "1 "+a)
	f(Auto, `{"log":{"entries":[`+entry+`,1,"x",{},[],`+entry+`]}}`,
		"1 "+a, "entry 2: no JSON object", "entry 3: no JSON object", "entry 4: \"startedDateTime\" is \"\"; RFC 3339 is possible", "entry 5: no JSON object", "6 "+a)
	f(Auto, `{"log":{"entries":[`+entry+`,{"startedDateTime":`, "1 "+a, "entry 2: it breaks off")
	f(Auto, `{"log":{"entries":[`+entry, "1 "+a, "entry 2: it breaks off")
	f(Auto, `{"log":{"a":1}}`, `entry 1: no HAR, which has a list "entries" in an object "log"`)
	f(HAR, full+"\n", `entry 1: no HAR, which has a list "entries" in an object "log"`)
	f(HAR, "no JSON at all", `entry 1: no HAR, which has a list "entries" in an object "log"`)
	f(HAR, ``, `entry 1: it breaks off`)
	f(Auto, `{"log":{"entries":[{"startedDateTime":"1"}]}}`, `entry 1: "startedDateTime" is "1"; RFC 3339 is possible`)
	const with = `{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"GET","url":`
	f(Auto, `{"log":{"entries":[`+with+`"/relative"}}]}}`, `entry 1: "url" is "/relative", without a scheme`)
	f(Auto, `{"log":{"entries":[`+with+`"data:text/plain,x"}},`+with+`"wss://b.example/s?q#f"}}]}}`, "2 b.example/s?q 00:00:00.0")
}

// TestHARIsStreamed: a body that no memory holds is walked over, and the
// entries around it are read.
func TestHARIsStreamed(t *testing.T) {
	const body = 200 << 20
	half := strings.SplitAfter(entry, `"text":"[1,`)
	d := NewDecoder(io.MultiReader(
		strings.NewReader(`{"log":{"entries":[`+entry+","+half[0]),
		io.LimitReader(endless(`1,\n\\`), body),
		strings.NewReader(half[1]+","+entry+`]}}`),
	), Auto)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var records []int64
	for {
		r, err := d.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		n := int64(-1)
		if r.Records != nil {
			n = *r.Records
		}
		records = append(records, n)
	}
	runtime.ReadMemStats(&after)
	if diff := cmp.Diff([]int64{2, -1, 2}, records); diff != "" {
		t.Errorf("records, -want +got:\n%s", diff)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("%d MiB were allocated for it", took>>20)
	}
}
