package recorded

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/scoring"
)

// full is a line with every field.
const full = `{"v":1,"time":"2026-11-20T17:38:05.297222Z","method":"GET","scheme":"https","host":"api.example","path":"/v1/orders?limit=10","protocol":"HTTP/2","headers":{"accept":["a","b"],"x-api-key":["k"]},"source":"203.0.113.9:40000","ja4":"t13d","jwt":{"n":7,"sub":"alice"},"request_bytes":0,"status":200,"response_headers":{"content-length":["1234"]},"response_bytes":1234,"records":10,"duration_ms":12.5,"request_body":"{}","operation":"a/b","label":"benign"}`

// next reads one line in one format.
func next(format Format, line string) (*Exchange, error) {
	return NewDecoder(strings.NewReader(line), format).Next()
}

// TestLine holds the format: what is read is written back byte for byte.
func TestLine(t *testing.T) {
	r, err := next(Auto, full)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := NewEncoder(&b).Encode(r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full+"\n", b.String()); diff != "" {
		t.Errorf("-read +written:\n%s", diff)
	}
}

func TestSteps(t *testing.T) {
	r, err := next(Auto, full)
	if err != nil {
		t.Fatal(err)
	}
	ex := &scoring.Exchange{Headers: []scoring.Header{{Name: []byte("left"), Value: []byte("over")}}}
	if err := r.Fill(ex); err != nil {
		t.Fatal(err)
	}
	type lines = []scoring.Header
	want := lines{
		{Name: []byte("accept"), Value: []byte("a")},
		{Name: []byte("accept"), Value: []byte("b")},
		{Name: []byte("x-api-key"), Value: []byte("k")},
	}
	if diff := cmp.Diff(want, ex.Headers); diff != "" {
		t.Errorf("headers, -want +got:\n%s", diff)
	}
	got := []any{string(ex.Method), string(ex.Scheme), string(ex.Host), string(ex.Path), string(ex.Protocol), string(ex.Source), string(ex.JA4), ex.RequestBytes, ex.Status, ex.ResponseBytes, ex.Records, ex.Time.UnixNano()}
	if diff := cmp.Diff([]any{"GET", "https", "api.example", "/v1/orders?limit=10", "HTTP/2", "203.0.113.9:40000", "t13d", int64(0), 0, int64(-1), int64(-1), r.Time.UnixNano()}, got); diff != "" {
		t.Errorf("request, -want +got:\n%s", diff)
	}
	if len(ex.Metadata) != 1 || string(ex.Metadata[0].Name) != "envoy.filters.http.jwt_authn" {
		t.Fatalf("metadata %+v", ex.Metadata)
	}
	s := new(structpb.Struct)
	if err := proto.Unmarshal(ex.Metadata[0].Struct, s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"jwt": map[string]any{"sub": "alice", "n": 7.0}}, s.AsMap()); diff != "" {
		t.Errorf("claims, -want +got:\n%s", diff)
	}
	r.Answer(ex)
	if ex.Status != 200 || ex.ResponseBytes != 1234 || ex.Records != -1 || ex.Duration != 12500*time.Microsecond {
		t.Errorf("at the response headers: status %d, %d bytes, %d records, %v", ex.Status, ex.ResponseBytes, ex.Records, ex.Duration)
	}
	r.Body(ex)
	if ex.ResponseBytes != 1234 || ex.Records != 10 || r.End() != scoring.Answered {
		t.Errorf("at the end: %d bytes, %d records, end %d", ex.ResponseBytes, ex.Records, r.End())
	}
}

func TestSizes(t *testing.T) {
	const head = `{"v":1,"time":"2026-01-01T00:00:00Z","method":"GET","path":"/"`
	f := func(rest string, declared, bytes, records int64, end scoring.End) {
		t.Helper()
		r, err := next(Wonted, head+rest+"}")
		if err != nil {
			t.Fatal(err)
		}
		var ex scoring.Exchange
		if err := r.Fill(&ex); err != nil {
			t.Fatal(err)
		}
		r.Answer(&ex)
		if ex.ResponseBytes != declared {
			t.Errorf("%s: declared %d, want %d", rest, ex.ResponseBytes, declared)
		}
		r.Body(&ex)
		if ex.ResponseBytes != bytes || ex.Records != records || r.End() != end {
			t.Errorf("%s: %d bytes, %d records, end %d; want %d, %d, %d", rest, ex.ResponseBytes, ex.Records, r.End(), bytes, records, end)
		}
	}
	f(`,"status":200`, -1, -1, -1, scoring.Answered)
	f(`,"status":0`, -1, -1, -1, scoring.Unknown)
	f(`,"status":200,"response_bytes":5`, 5, 5, -1, scoring.Answered)
	f(`,"status":200,"response_bytes":-1,"records":-1`, -1, -1, -1, scoring.Answered)
	f(`,"status":200,"response_bytes":5,"records":2,"response_headers":{"content-type":["application/json"]}`, -1, 5, 2, scoring.Answered)
	f(`,"status":200,"response_bytes":5,"response_headers":{"Content-Length":["9"]}`, 9, 5, -1, scoring.Answered)
	f(`,"status":200,"response_bytes":5,"response_headers":{"content-length":["junk"]}`, -1, 5, -1, scoring.Answered)
	f(`,"status":200,"response_bytes":9223372036854775807,"records":9223372036854775807`, maxSize, maxSize, maxSize, scoring.Answered)
	r, err := next(Wonted, head+`,"status":200,"duration_ms":1e300}`)
	if err != nil || r.Duration() != maxDuration {
		t.Errorf("an endless duration: %v", err)
	}
}

func TestBadLines(t *testing.T) {
	f := func(format Format, line, want string) {
		t.Helper()
		_, err := next(format, line)
		if e, ok := errors.AsType[*LineError](err); !ok || e.Line != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want line 1: …%s…", line, err, want)
		}
	}
	const t0 = `"time":"2026-01-01T00:00:00Z"`
	f(Wonted, `{}`, `"v" is missing; this program reads version 1`)
	f(Wonted, `{"v":2}`, `"v" is 2; this program reads version 1`)
	f(Auto, `{"v":2}`, `"v" is 2; this program reads version 1`)
	f(Wonted, `{"v":1}`, `"time" is missing`)
	f(Wonted, `{"v":1,"time":"yesterday"}`, "yesterday")
	f(Wonted, `{"v":1,"time":"1960-01-01T00:00:00Z"}`, "from 1970 to 2106")
	f(Wonted, `{"v":1,"time":"2200-01-01T00:00:00Z"}`, "from 1970 to 2106")
	f(Wonted, `{"v":1,`+t0+`}`, `"method" is missing`)
	f(Wonted, `{"v":1,`+t0+`,"method":"GET"}`, `"path" is missing`)
	f(Wonted, `{"v":1,`+t0+`,"method":"GET","path":"/","status":99}`, `"status" is 99`)
	f(Wonted, `{"v":1,`+t0+`,"method":"GET","path":"/","status":"200"}`, `"status" is a JSON string`)
	f(Wonted, `{"v":1,`+t0+`,"method":"GET","path":"/","status":200,"duration_ms":-1}`, `"duration_ms" is -1`)
	f(Wonted, `{"v":1,`+t0+`,"method":"GET","path":"/","status":200,"records":-2}`, `"records" is -2`)
	f(Wonted, `{"v":1,`+t0+`,"method":"GET","path":"/","status":200,"headers":{"a":"b"}}`, `"headers" is a JSON string`)
	f(Wonted, `{"v":1,`, "not JSON")
	f(Auto, `{"v":1} trailing`, "not JSON")
	f(Auto, `[1]`, "neither a JSON object nor a line of an access log")
	f(Wonted, `127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 5`, "no JSON object")
	f(Auto, `{"a":1}`, `"time" is missing`)
	f(Envoy, `{"start_time":`, "not JSON: it breaks off")
	f(Envoy, `{"start_time":"x"}`, `"start_time": x is no time`)
	f(Envoy, `{"start_time":-5}`, "is no time from 1970")
	f(Envoy, `{"start_time":1,"method":{}}`, `"method": is no string`)
	f(Envoy, `{"start_time":1,"method":"GET","path":"/","response_code":"abc"}`, `"response_code": "abc" is no number`)
	f(Envoy, `{"start_time":1,"method":"GET","path":"/","bytes_sent":-7}`, `"response_bytes" is -7`)
	f(Envoy, `{"start_time":1,"method":"GET","path":"/"} {}`, "more than one JSON value")
	f(Envoy, `{"start_time":1,"method":"GET","path":"/","jwt":"x"}`, `"jwt": is no object of claims`)
}

func TestEnvoy(t *testing.T) {
	f := func(line string, want Exchange) {
		t.Helper()
		got, err := next(Auto, line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			return
		}
		// Compared as JSON: how it is written, and without pointers.
		want.V = Version
		a, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", line, diff)
		}
	}
	n := func(n int64) *int64 { return &n }
	at := time.Date(2026, 11, 20, 17, 38, 5, 297e6, time.UTC)

	// Istio's default, and Envoy's documentation.
	f(`{"start_time":"2026-11-20T17:38:05.297Z","method":"GET","path":"/v1/a?b=c","protocol":"HTTP/1.1","response_code":200,"response_flags":"-","bytes_received":0,"bytes_sent":154,"duration":6,"upstream_service_time":"5","x_forwarded_for":"203.0.113.9,10.0.0.1","user_agent":"curl/8","request_id":"r","authority":"api.example","upstream_host":"10.0.0.2:80","downstream_remote_address":"10.0.0.1:0","response_code_details":"via_upstream"}`,
		Exchange{Time: at, Method: "GET", Path: "/v1/a?b=c", Protocol: "HTTP/1.1", Status: 200, Host: "api.example", Source: "10.0.0.1:0", DurationMS: 6, RequestBytes: n(0), ResponseBytes: n(154),
			Headers: map[string][]string{"user-agent": {"curl/8"}, "x-forwarded-for": {"203.0.113.9,10.0.0.1"}}})
	// Envoy Gateway's default.
	f(`{"start_time":"2026-11-20T17:38:05.297Z","method":"POST","x-envoy-origin-path":"/a","protocol":"HTTP/2","response_code":"401","bytes_received":"12","bytes_sent":"0","duration":"1","x-forwarded-for":"203.0.113.9","user-agent":"-",":authority":"api.example","downstream_remote_address":"203.0.113.9:5"}`,
		Exchange{Time: at, Method: "POST", Path: "/a", Protocol: "HTTP/2", Status: 401, Host: "api.example", Source: "203.0.113.9:5", DurationMS: 1, RequestBytes: n(12), ResponseBytes: n(0),
			Headers: map[string][]string{"x-forwarded-for": {"203.0.113.9"}, "x-envoy-origin-path": {"/a"}}})
	// The operators' own names, an API key, claims, an epoch, nulls.
	f(`{"START_TIME":"1795196285.297","REQUEST_METHOD":"GET","Request-Path":"/","status":0,"X-Api-Key":"k","jwt":{"sub":"alice","n":7},"JA4":"t13d","user_agent":null,"extra":{"x":[1]}}`,
		Exchange{Time: time.Unix(1795196285, 297e6).UTC(), Method: "GET", Path: "/", JA4: "t13d", JWT: map[string]any{"sub": "alice", "n": 7}, Headers: map[string][]string{"x-api-key": {"k"}}})
	f(`{"time":1795196285000,"method":"GET","path":"/"}`, Exchange{Time: time.Unix(1795196285, 0).UTC(), Method: "GET", Path: "/"})
	// Of two keys the first listed counts, in whatever order they are written.
	f(`{"time":"2027-01-01T00:00:00Z","path":"/rewritten","x_envoy_original_path":"/asked","start_time":"2026-11-20T17:38:05.297Z","method":"GET"}`,
		Exchange{Time: at, Method: "GET", Path: "/asked", Headers: map[string][]string{"x-envoy-original-path": {"/asked"}}})

	r, err := next(Envoy, `{"start_time":1,"method":"GET","path":"/","response_code":403,"response_code_details":"wonted_denied"}`)
	if err != nil || r.End() != scoring.Refused {
		t.Errorf("our own denial in the log: %v", err)
	}
}

func TestDecoder(t *testing.T) {
	const good = `{"v":1,"time":"2026-01-01T00:00:00Z","method":"GET","path":"/%d","status":200}`
	const envoy = `{"start_time":"2026-01-01T00:00:00Z","method":"GET","path":"/","response_code":200}`
	// f reads everything; want has a word a line: its number, with ! if it is bad.
	f := func(text string, format Format, want ...string) {
		t.Helper()
		d := NewDecoder(plainReader{strings.NewReader(text)}, Auto)
		var got []string
		for {
			_, err := d.Next()
			if err == io.EOF {
				break
			}
			word := string(rune('0' + d.Line()))
			if e, ok := errors.AsType[*LineError](err); ok {
				word = string(rune('0'+e.Line)) + "!"
			} else if err != nil {
				t.Fatal(err)
			}
			got = append(got, word)
		}
		if diff := cmp.Diff(want, got); diff != "" || d.Format() != format {
			t.Errorf("%.80q: format %s, want %s; lines, -want +got:\n%s", text, d.Format(), format, diff)
		}
	}
	f("", Auto)
	f("\n \r\n\n", Auto)
	f(good, Wonted, "1")
	f("\xef\xbb\xbf"+good+"\r\n\n"+good+"\n", Wonted, "1", "3")
	f(envoy+"\n"+envoy, Envoy, "1", "2")
	f("starting epoch 0\n"+envoy+"\n"+envoy, Envoy, "1!", "2", "3")
	f(good+"\n"+envoy+"\n"+good, Wonted, "1", "2!", "3")
	long := `{"v":1,"pad":"` + strings.Repeat("x", 200<<10) + `"`
	f(long+good[len(`{"v":1`):]+"\n"+good, Wonted, "1", "2")
	f(strings.Repeat("x", maxItem+1)+"\n"+good, Wonted, "1!", "2")
	f(good+"\n"+strings.Repeat("x", maxItem+100<<10), Wonted, "1", "2!")
}

// TestWithoutRequest: what Envoy answered itself before it had a request is no
// exchange, and no mistake of the log either.
func TestWithoutRequest(t *testing.T) {
	const good = `{"start_time":"2026-01-01T00:00:00Z","method":"GET","path":"/","response_code":200}`
	f := func(line string, skipped bool) {
		t.Helper()
		d := NewDecoder(strings.NewReader(line+"\n"+good), Auto)
		_, err := d.Next()
		if _, bad := errors.AsType[*LineError](err); bad == skipped || bad && d.WithoutRequest() != 0 {
			t.Errorf("%s: %v, %d without a request", line, err, d.WithoutRequest())
		}
		if skipped && (err != nil || d.Line() != 2 || d.WithoutRequest() != 1) {
			t.Errorf("%s: line %d after %d without a request: %v", line, d.Line(), d.WithoutRequest(), err)
		}
	}
	f(`{"start_time":"2026-01-01T00:00:00Z","method":null,"path":null,"protocol":"HTTP/1.1","response_code":400,"response_flags":"DPE"}`, true)
	f(`{"start_time":"2026-01-01T00:00:00Z",":METHOD":"-","path":"-","response_code":400}`, true)
	f(`{"start_time":"2026-01-01T00:00:00Z","request-method":"","response_code":"400"}`, true)
	f(`{"start_time":"2026-01-01T00:00:00Z","path":"/","response_code":200}`, false)
	f(`{"method":null,"path":null,"response_code":400}`, false)
	f(`{"start_time":"never","method":null}`, false)
	f(`{"v":1,"time":"2026-01-01T00:00:00Z","method":null,"path":"/","status":200}`, false)

	// A key without a value does not hide another with one.
	d := NewDecoder(strings.NewReader(`{"start_time":1,"method":null,":method":"GET","path":"/"}`), Envoy)
	if r, err := d.Next(); err != nil || r.Method != "GET" || d.WithoutRequest() != 0 {
		t.Errorf("a method under another key: %v", err)
	}
}

// plainReader hides a reader's other methods.
type plainReader struct{ io.Reader }

func TestReaderErrorsAreFinal(t *testing.T) {
	broken := errors.New("the disk is gone")
	d := NewDecoder(io.MultiReader(strings.NewReader(full+"\n"), failing{broken}), Auto)
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFormats(t *testing.T) {
	for _, s := range []string{"auto", "wonted", "envoy", "common", "combined", "har"} {
		if f, err := ParseFormat(s); err != nil || string(f) != s {
			t.Errorf("%s: %v, %v", s, f, err)
		}
	}
	if _, err := ParseFormat("w3c"); err == nil || !strings.Contains(err.Error(), "allowed are auto, wonted, envoy, common, combined and har") {
		t.Errorf("w3c: %v", err)
	}
}

func BenchmarkNext(b *testing.B) {
	const envoy = `{"start_time":"2026-11-20T17:38:05.297Z","method":"GET","path":"/v1/a?b=c","protocol":"HTTP/1.1","response_code":200,"response_flags":"-","bytes_received":0,"bytes_sent":154,"duration":6,"x_forwarded_for":"203.0.113.9","user_agent":"curl/8","request_id":"r","authority":"api.example","upstream_host":"10.0.0.2:80","downstream_remote_address":"203.0.113.9:0"}`
	for _, line := range []struct{ name, text string }{{"wonted", full}, {"envoy", envoy}, {"combined", combined}} {
		b.Run(line.name, func(b *testing.B) {
			d := NewDecoder(endless(line.text+"\n"), Auto)
			b.SetBytes(int64(len(line.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless is a text over and over.
func endless(s string) io.Reader { return &again{text: s} }

type again struct {
	text string
	at   int
}

func (a *again) Read(b []byte) (int, error) {
	n := copy(b, a.text[a.at:])
	a.at = (a.at + n) % len(a.text)
	return n, nil
}
