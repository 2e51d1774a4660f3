package recorded

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

func lines(pairs ...string) (h []scoring.Header) {
	for i := 0; i < len(pairs); i += 2 {
		h = append(h, scoring.Header{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return h
}

// busy is an exchange with a secret in every place that can have one: each is
// called raw-something.
func busy() (*scoring.Exchange, Rest) {
	ex := &scoring.Exchange{
		ID: scoring.ID{0xab, 15: 1}, Time: time.Date(2026, 11, 20, 18, 38, 5, 297222000, time.FixedZone("", 3600)),
		Method: []byte("POST"), Scheme: []byte("https"), Host: []byte("raw-user@api.example"), Protocol: []byte("HTTP/2"),
		Path: []byte("/v1/orders;jsessionid=raw-1?limit=10&api_key=raw-2&next=%2F%3Ftoken%3Draw-3"),
		Headers: lines("accept", "a", "x-api-key", "raw-4", "cookie", "session=raw-5; theme=raw-6", "accept", "b",
			"authorization", "Bearer raw-7", "proxy-authorization", "Basic raw-8", "referer", "https://h/?token=raw-9",
			"x-auth-token", "raw-10", "x-customer", "raw-11", "cookie", "raw-12", "user-agent", "curl \"8\"\\\x01\xff"),
		Source: []byte("203.0.113.9:40000"), JA4: []byte("t13d"), RequestBytes: 7,
		Status: 200, ResponseBytes: 2000, Records: 10, Duration: 12345678 * time.Nanosecond,
	}
	rest := Rest{Declared: -1, End: scoring.Answered, Vouched: []Vouched{
		{Path: "sub", Value: []byte("raw-13")}, {Path: "realm.email", Value: []byte("a@b.example"), Name: true},
		{Path: "sub", Value: []byte("raw-13"), Name: true}, // an identity and a name: an identity
		{Value: []byte("raw-spiffe")},
		{Namespace: "n.s", Path: "user.id", Value: []byte("raw-14")}, {Namespace: "other", Path: "team", Value: []byte("red"), Name: true},
		{Namespace: "n.s", Path: "user.id", Value: []byte("raw-14")},
	}}
	return ex, rest
}

func TestAppend(t *testing.T) {
	r := NewRedactor([32]byte{7}, "x-customer")
	ex, rest := busy()
	line := r.Append([]byte("left as it is\n"), ex, rest)
	line, ok := bytes.CutPrefix(line, []byte("left as it is\n"))
	if !ok || !bytes.HasSuffix(line, []byte("}\n")) || bytes.Count(line, []byte("\n")) != 1 {
		t.Fatalf("not one line: %s", line)
	}
	if i := bytes.Index(line, []byte("raw-")); i >= 0 {
		t.Errorf("a secret is in the recording: …%s", line[i:min(len(line), i+20)])
	}
	got, err := next(Wonted, string(line))
	if err != nil {
		t.Fatal(err)
	}
	h := func(s string) string { return string(r.hash(nil, []byte(s))) }
	n := func(n int64) *int64 { return &n }
	want := &Exchange{
		V: 1, Time: time.Date(2026, 11, 20, 17, 38, 5, 297222000, time.UTC), ID: "ab000000000000000000000000000001",
		Method: "POST", Scheme: "https", Host: h("raw-user") + "@api.example", Protocol: "HTTP/2",
		Path: "/v1/orders;jsessionid=" + h("raw-1") + "?limit=10&api_key=" + h("raw-2") + "&next=" + h("%2F%3Ftoken%3Draw-3"),
		Headers: map[string][]string{
			"accept": {"a", "b"}, "x-api-key": {h("raw-4")}, "cookie": {"session=" + h("raw-5") + "; theme=" + h("raw-6"), h("raw-12")},
			"authorization": {"Bearer " + h("raw-7")}, "proxy-authorization": {"Basic " + h("raw-8")},
			"referer": {"https://h/?token=" + h("raw-9")}, "x-auth-token": {h("raw-10")}, "x-customer": {h("raw-11")},
			"user-agent": {"curl \"8\"\\\x01\uFFFD"},
		},
		Source: "203.0.113.9:40000", JA4: "t13d", JWT: map[string]any{"sub": h("raw-13"), "realm.email": "a@b.example"},
		PeerSAN: h("raw-spiffe"), Metadata: map[string]map[string]any{"n.s": {"user.id": h("raw-14")}, "other": {"team": "red"}},
		RequestBytes: n(7), Status: 200, ResponseHeaders: map[string][]string{"content-length": {}},
		ResponseBytes: n(2000), Records: n(10), DurationMS: 12.346,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.declared() != -1 {
		t.Errorf("declared %d where nothing was", got.declared())
	}
	var again bytes.Buffer
	if err := NewEncoder(&again).Encode(got); err != nil {
		t.Fatal(err)
	}
	if got2, err := next(Wonted, again.String()); err != nil || cmp.Diff(got, got2) != "" {
		t.Errorf("written by Encoder it says something else: %v", err)
	}
}

func TestAppendEnds(t *testing.T) {
	r := NewRedactor([32]byte{7})
	f := func(status int, declared int64, end scoring.End, wantStatus int, wantDeclared int64, wantEnd scoring.End) {
		t.Helper()
		ex := &scoring.Exchange{Time: time.Unix(1e9, 0), Method: []byte("GET"), Path: []byte("/"), Status: status, RequestBytes: -1, ResponseBytes: declared, Records: -1}
		got, err := next(Wonted, string(r.Append(nil, ex, Rest{Declared: declared, End: end})))
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != wantStatus || got.declared() != wantDeclared || got.End() != wantEnd || got.Answered() != (wantStatus != 0) {
			t.Errorf("status %d, declared %d, end %d: read as %d, %d, %d", status, declared, end, got.Status, got.declared(), got.End())
		}
	}
	f(200, 5, scoring.Answered, 200, 5, scoring.Answered)
	f(204, 0, scoring.Answered, 204, 0, scoring.Answered)
	f(200, -1, scoring.Answered, 200, -1, scoring.Answered)
	f(200, 5, scoring.Unknown, 200, 5, scoring.Unknown)
	f(0, -1, scoring.Unknown, 0, -1, scoring.Unknown)
	f(0, -1, scoring.Refused, 0, -1, scoring.Refused)
	f(200, 5, scoring.Refused, 200, 5, scoring.Refused)
	f(200, -1, scoring.Truncated, 200, -1, scoring.Truncated)
	f(799, 1, scoring.Answered, 599, 1, scoring.Answered)
	f(42, 1, scoring.Unknown, 0, -1, scoring.Unknown)
}

// TestAppendBare: nothing but a time is a line that can be read.
func TestAppendBare(t *testing.T) {
	line := NewRedactor([32]byte{}).Append(nil, &scoring.Exchange{Time: time.Unix(1e9, 0), RequestBytes: -1}, Rest{})
	if _, err := next(Wonted, string(line)); err != nil {
		t.Errorf("%s: %v", line, err)
	}
}

// FuzzAppend: whatever a client sends, it is one line that can be read, and a
// credential is not in it.
func FuzzAppend(f *testing.F) {
	f.Add("/v1/x?api_key=", "", "x-y", "z", "a=b", "Bearer ")
	f.Add("/%2?a;b#c", "&d=%41%", "x-\xff\"\x00", "\u2028\\", `s=";,`, "\x00,Basic")
	f.Add("//@://u:p@/?;=", "=", "", "", "==;;=", ",,")
	const secret = "S3cr3tThatNobodyMayRead"
	f.Fuzz(func(t *testing.T, path, more, name, value, cookie, scheme string) {
		r := NewRedactor([32]byte{7}, "x-id")
		for _, s := range []string{path, more, name, value, cookie, scheme} {
			if strings.Contains(s, secret) {
				return // it would be no secret
			}
		}
		if strings.ContainsAny(cookie, "=;") || strings.TrimSpace(cookie) == "" {
			cookie = "c" // a name of a cookie; what is before its value is not secret
		}
		ex := &scoring.Exchange{
			Time: time.Unix(1e9, 0), Method: []byte(name), Path: []byte(path + "?token=" + secret + "&" + more), RequestBytes: -1,
			Headers: lines(name, value, "cookie", cookie+"="+secret+"; b="+secret, "authorization", scheme+secret, "x-id", value+secret, "x-api-key", secret+value,
				"referer", "https://h/?"+more+"&password="+secret),
		}
		line := r.Append(nil, ex, Rest{Declared: -1, Vouched: []Vouched{{Path: path, Value: []byte(secret)}, {Namespace: name, Path: more, Value: []byte(secret)}}})
		if bytes.Contains(line, []byte(secret)) {
			t.Errorf("the secret is in %s", line)
		}
		got, err := next(Wonted, string(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if bytes.Count(line, []byte("\n")) != 1 || !utf8.Valid(line) {
			t.Errorf("not one line of UTF-8: %q", line)
		}
		var back scoring.Exchange
		if got.Fill(&back) == nil && len(back.Headers) != len(ex.Headers) {
			t.Errorf("%d headers of %d", len(back.Headers), len(ex.Headers))
		}
	})
}

// FuzzString: what is quoted here, encoding/json reads; what is no UTF-8 is U+FFFD.
func FuzzString(f *testing.F) {
	f.Add([]byte("a\"\\\x00\x1f\x7f\xff\xc3\u2028<>&€"))
	f.Fuzz(func(t *testing.T, s []byte) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(string(s))); got != want {
			t.Errorf("%q becomes %q, want %q", s, got, want)
		}
	})
}

func TestAppendAllocatesNothing(t *testing.T) {
	r := NewRedactor([32]byte{7}, "x-customer")
	ex := ordinary()
	b := make([]byte, 0, 8<<10)
	if n := testing.AllocsPerRun(100, func() { b = r.Append(b[:0], ex, Rest{Declared: -1, End: scoring.Answered}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// ordinary is a request as a browser sends it, with what Envoy adds.
func ordinary() *scoring.Exchange {
	return &scoring.Exchange{
		ID: scoring.ID{1, 2, 3}, Time: time.Unix(1.8e9, 297222000).UTC(), Method: []byte("GET"), Scheme: []byte("https"), Host: []byte("api.example.com"),
		Path: []byte("/v1/customers/48000/orders?limit=10&page=2"), Protocol: []byte("HTTP/1.1"),
		Headers: lines("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
			"accept", "application/json", "accept-encoding", "gzip", "accept-language", "en-GB,en;q=0.9", "x-api-key", "key-000001-4f0c9f8e7d6b5a43",
			"cookie", "session=s0000018c1d2e3f40516273; theme=dark", "referer", "https://shop.example.com/account", "cache-control", "no-cache",
			"x-forwarded-for", "203.0.113.9", "x-forwarded-proto", "https", "x-request-id", "3f0c9f8e-7d6b-5a43-9f8e-7d6b5a434f0c", "x-tenant", "north"),
		Source: []byte("203.0.113.9:40000"), RequestBytes: 0, Status: 200, ResponseBytes: 2048, Records: 10, Duration: 12 * time.Millisecond,
	}
}

func BenchmarkAppend(b *testing.B) {
	r := NewRedactor([32]byte{7}, "x-api-key")
	ex := ordinary()
	line := make([]byte, 0, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		line = r.Append(line[:0], ex, Rest{Declared: 2048, End: scoring.Answered})
	}
	b.SetBytes(int64(len(line)))
}

// Whom a sign-in signs in is kept as a key, and comes back as that key.
func TestAppendSignIn(t *testing.T) {
	ex := &scoring.Exchange{Time: time.Unix(1e9, 0), Method: []byte("POST"), Path: []byte("/login"), RequestBytes: -1, Status: 401}
	if line := NewRedactor([32]byte{}).Append(nil, ex, Rest{}); bytes.Contains(line, []byte("request_body")) {
		t.Errorf("a body where nobody signs in: %s", line)
	}
	ex.SignIn.User = profile.Key{Hi: 0x20_0A_00_FF, Lo: 1 << 63}
	r, err := NewDecoder(bytes.NewReader(NewRedactor([32]byte{}).Append(nil, ex, Rest{})), Auto).Next()
	if err != nil {
		t.Fatal(err)
	}
	var body struct{ Username, Password string }
	if err := json.Unmarshal([]byte(r.RequestBody), &body); err != nil || body.Password != "***" {
		t.Errorf("%s: %v", r.RequestBody, err)
	}
	if key, ok := User([]byte(body.Username)); !ok || key != ex.SignIn.User {
		t.Errorf("%s is %v", body.Username, key)
	}
	for _, name := range []string{"", "bob", "~", "~zz", "~" + strings.Repeat("g", 32), strings.Repeat("a", 33)} {
		if _, ok := User([]byte(name)); ok {
			t.Errorf("%q is a key", name)
		}
	}
}

// What a body has asked for is kept, and comes back, unless it is a secret.
func TestAppendOperation(t *testing.T) {
	f := func(operation, want string) {
		t.Helper()
		ex := &scoring.Exchange{Time: time.Unix(1e9, 0), Method: []byte("POST"), Path: []byte("/mcp"), Status: 200, Operation: operation}
		line := NewRedactor([32]byte{}).Append(nil, ex, Rest{})
		r, err := NewDecoder(bytes.NewReader(line), Auto).Next()
		if err != nil {
			t.Fatal(err)
		}
		ex.Reset()
		if err := r.Fill(ex); err != nil || ex.Operation != want || bytes.Contains(line, []byte("operation")) != (want != "") {
			t.Errorf("%q comes back as %q, %v: %s", operation, ex.Operation, err, line)
		}
	}
	f("", "")
	f("tools/call/search", "tools/call/search")
	f("a b\"\n\ufffdä", "a b\"\n\ufffdä")
	const secret = "ghp_0123456789abcdef0123456789abcdef0123"
	f(secret, string(NewRedactor([32]byte{}).hash(nil, []byte(secret))))
}
