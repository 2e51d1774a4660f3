package recorded

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// combined is the example of Apache's documentation, a little later.
const combined = `192.0.2.1 - frank [10/Oct/2026:13:55:36 -0700] "GET /apache_pb.gif?a=b HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`

// TestAccessLog: a line, and the exchange that is read as wonted's own JSONL has it.
func TestAccessLog(t *testing.T) {
	const at = `{"v":1,"time":"2026-10-10T20:55:36Z","method":"GET",`
	f := func(line string, format Format, want string) {
		t.Helper()
		d := NewDecoder(strings.NewReader(line), Auto)
		r, err := d.Next()
		if err != nil {
			t.Errorf("%s: %v", line, err)
			return
		}
		if d.Format() != format {
			t.Errorf("%s: read as %s, want %s", line, d.Format(), format)
		}
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", line, diff)
		}
	}
	f(combined, Combined, at+`"path":"/apache_pb.gif?a=b","protocol":"HTTP/1.0","headers":{"referer":["http://www.example.com/start.html"],"user-agent":["Mozilla/4.08 [en] (Win98; I ;Nav)"]},"source":"192.0.2.1","metadata":{"access_log":{"user":"frank"}},"status":200,"response_bytes":2326}`)
	const time = ` [10/Oct/2026:13:55:36 -0700] `
	// Who.
	f(`192.0.2.1 - -`+time+`"GET / HTTP/1.1" 304 -`, Common, at+`"path":"/","protocol":"HTTP/1.1","source":"192.0.2.1","status":304,"response_bytes":0}`)
	f(`2001:db8::1 - john doe`+time+`"GET / HTTP/1.1" 200 1`, Common, at+`"path":"/","protocol":"HTTP/1.1","source":"2001:db8::1","metadata":{"access_log":{"user":"john doe"}},"status":200,"response_bytes":1}`)
	f(`192.0.2.1 - frank`+time+`"GET / HTTP/1.1" 401 1`, Common, at+`"path":"/","protocol":"HTTP/1.1","source":"192.0.2.1","status":401,"response_bytes":1}`)
	f(`piweba3y.example.net - -`+time+`"GET /" 200 1`, Common, at+`"path":"/","metadata":{"access_log":{"host":"piweba3y.example.net"}},"status":200,"response_bytes":1}`)
	f(`shop.example:443 192.0.2.1 - -`+time+`"GET / HTTP/2.0" 200 1`, Common, at+`"host":"shop.example:443","path":"/","protocol":"HTTP/2.0","source":"192.0.2.1","status":200,"response_bytes":1}`)
	f(`192.0.2.1 - a[b] "c`+time+`"GET / HTTP/1.1" 200 1`, Common, at+`"path":"/","protocol":"HTTP/1.1","source":"192.0.2.1","metadata":{"access_log":{"user":"a[b] \"c"}},"status":200,"response_bytes":1}`)
	f("192.0.2.1 - \xff"+time+`"GET / HTTP/1.1" 200 1`, Common, at+`"path":"/","protocol":"HTTP/1.1","source":"192.0.2.1","metadata":{"access_log":{"user":"`+"\uFFFD"+`"}},"status":200,"response_bytes":1}`)
	// When.
	f(`192.0.2.1 - - [2026-10-10T20:55:36+00:00] "GET / HTTP/1.1" 200 1`, Common, at+`"path":"/","protocol":"HTTP/1.1","source":"192.0.2.1","status":200,"response_bytes":1}`)
	// What.
	const who, end = `192.0.2.1 - -` + time, `"source":"192.0.2.1","status":200,"response_bytes":1}`
	f(who+`"GET /a\x20b\"c\\d\xc3\xa9 HTTP/1.1" 200 1`, Common, at+`"path":"/a b\"c\\dé","protocol":"HTTP/1.1",`+end)
	f(who+`"GET /a b HTTP/1.1" 200 1`, Common, at+`"path":"/a b","protocol":"HTTP/1.1",`+end)
	f(who+`"GET http://other.example/x?y HTTP/1.1" 200 1`, Common, at+`"scheme":"http","host":"other.example","path":"/x?y","protocol":"HTTP/1.1",`+end)
	f(who+`"GET /[1] HTTP/1.1" 200 1`, Common, at+`"path":"/[1]","protocol":"HTTP/1.1",`+end)
	// What is behind.
	const agent = `"GET / HTTP/1.1" 200 1 "-" "curl/8 \"x\"" `
	const curl = at + `"path":"/","protocol":"HTTP/1.1","headers":{"user-agent":["curl/8 \"x\""]},`
	f(who+agent, Combined, curl+end)
	f(who+agent+`"-"`, Combined, curl+end)
	f(who+agent+`1500`, Combined, curl+`"source":"192.0.2.1","status":200,"response_bytes":1,"duration_ms":1.5}`)
	f(who+agent+`0/1500`, Combined, curl+`"source":"192.0.2.1","status":200,"response_bytes":1,"duration_ms":1.5}`)
	f(who+agent+`0.250`, Combined, curl+`"source":"192.0.2.1","status":200,"response_bytes":1,"duration_ms":250}`)
	f(who+agent+`612 0.250 [default-shop-80] [] 10.0.0.7:80 1 0.248 200 8f2a`, Combined, curl+`"source":"192.0.2.1","request_bytes":612,"status":200,"response_bytes":1,"duration_ms":250}`)
	f(who+agent+`512 4096`, Combined, curl+`"source":"192.0.2.1","request_bytes":512,"status":200,"response_bytes":4096}`)
	f(who+agent+`"203.0.113.7, 10.0.0.1" 1500`, Combined, at+`"path":"/","protocol":"HTTP/1.1","headers":{"user-agent":["curl/8 \"x\""],"x-forwarded-for":["203.0.113.7, 10.0.0.1"]},"source":"192.0.2.1","status":200,"response_bytes":1,"duration_ms":1.5}`)
}

func TestAccessLogBadLines(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		_, err := next(Combined, line)
		if _, ok := errors.AsType[*LineError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", line, err, want)
		}
	}
	const who = `192.0.2.1 - - [10/Oct/2026:13:55:36 -0700] `
	f(`{"v":1}`, "not a line of an access log")
	f(`hello`, "not a line of an access log")
	f(`192.0.2.1 - - [0/Oct] "GET / HTTP/1.1" 200 1`, "[0/Oct] is no time")
	f(`192.0.2.1 - - [10/Oct/1926:13:55:36 -0700] "GET / HTTP/1.1" 200 1`, "from 1970 to 2106")
	f(who+`"GET / HTTP/1.1" 200`, "the line breaks off")
	f(who+`"GET / HTT`, "the line breaks off")
	f(who+`"GET / HTTP/1.1" 200 1 "http`, "the line breaks off")
	f(who+`"GET / HTTP/1.1" 99 1`, `"status" is 99`)
	f(who+`"GET / HTTP/1.1" ok 1`, `status "ok" is no number`)
	f(who+`"GET / HTTP/1.1" 200 -5`, `size "-5" is no number`)
	f(who+`"GET / HTTP/1.1" 200 99999999999999999999`, `is no number`)
}

// TestAccessLogWithoutRequest: what is no request in HTTP is no exchange, and
// no mistake of the log.
func TestAccessLogWithoutRequest(t *testing.T) {
	for _, request := range []string{`-`, ``, `\x16\x03\x01\x02`, `\x05\x01`, `GET`, `SSH-2.0-Go x`, `145.ll|'|'|SGFjS2VkX0Q0OTkwNjI3|'|'|WIN`} {
		d := NewDecoder(strings.NewReader(`192.0.2.1 - - [10/Oct/2026:13:55:36 -0700] "`+request+`" 400 226 "-" "-"`+"\n"+combined), Auto)
		if r, err := d.Next(); err != nil || r.Status != 200 || d.WithoutRequest() != 1 || d.Line() != 2 {
			t.Errorf("%s: %v, %d without a request", request, err, d.WithoutRequest())
		}
	}
}
