package recorded

import (
	"regexp"
	"strings"
	"testing"
)

// marks stand for hashes in the tables below; which hash is told by what is
// hashed, in angle brackets.
var marks = regexp.MustCompile(`<[^>]*>`)

func (r *Redactor) expected(want string) string {
	return marks.ReplaceAllStringFunc(want, func(m string) string { return string(r.hash(nil, []byte(m[1:len(m)-1]))) })
}

func TestRedactedHeaders(t *testing.T) {
	r := NewRedactor([32]byte{1, 2, 3}, "X-Customer", "user-agent", "x-forwarded-for")
	f := func(name, value, want string) {
		t.Helper()
		if got := string(r.header(nil, []byte(name), []byte(value))); got != r.expected(want) {
			t.Errorf("%s: %s becomes %s, want %s = %s", name, value, got, want, r.expected(want))
		}
	}
	// Credentials keep their scheme, and each of several is hashed alone, so
	// that a replay finds the same tokens.
	f("authorization", "Bearer abc.def", "Bearer <abc.def>")
	f("authorization", "bearer  abc ", "bearer <abc>")
	f("authorization", "Bearer a,Bearer b", "Bearer <a>,Bearer <b>")
	f("authorization", "Basic dXNlcjpwYXNz", "Basic <dXNlcjpwYXNz>")
	f("authorization", "justakey", "<justakey>")
	f("authorization", "hunter2 is my password", "<hunter2 is my password>")
	f("authorization", "", "")
	f("proxy-authorization", "Basic eHg=", "Basic <eHg=>")
	f("x-api-key", " k1 ", "<k1>")
	f("x-api-key", "Bearer k1", "<Bearer k1>") // an identity rule reads it whole
	f("cookie", `session=abc; theme="dark";x; empty=`, `session=<abc>; theme=<dark>; <x>; empty=`)
	f("cookie", "a=b=c", "a=<b=c>")
	f("set-cookie", "sid=1; Path=/", "sid=<1>; Path=</>")
	f("x-forwarded-client-cert", "By=a;Hash=b", "<By=a;Hash=b>")

	// Named by an identity rule.
	f("x-customer", "acme", "<acme>")
	f("user-agent", "curl/8", "<curl/8>")
	f("x-forwarded-for", "203.0.113.9", "203.0.113.9") // an address, read as one

	// Called like a secret.
	f("x-auth-token", "t", "<t>")
	f("x-access-token", "Bearer t", "Bearer <t>")
	f("x-amz-security-token", "t", "<t>")
	f("x-goog-api-key", "t", "<t>")
	f("x-hub-signature-256", "sha256=99", "<sha256=99>")
	f("x-csrftoken", "t", "<t>")
	f("x-session-id", "t", "<t>")
	f("x-auth", "t", "<t>")
	f("private_key", "t", "<t>")
	f(strings.Repeat("x", 65), "t", "<t>")

	// By their looks.
	f("x-whatever", "Bearer abcdefghijk", "Bearer <abcdefghijk>")
	f("x-whatever", "eyJhbGciOiJub25lIn0.e30.", "<eyJhbGciOiJub25lIn0.e30.>")
	f("x-whatever", "ghp_0123456789abcdef", "<ghp_0123456789abcdef>")

	// URLs in headers.
	f("referer", "https://u:pw@api.example/cb?code=1&page=2#access_token=3", "https://<u:pw>@api.example/cb?code=<1>&page=2#access_token=<3>")
	f("x-original-url", "/a;jsessionid=9/b?api_key=1", "/a;jsessionid=<9>/b?api_key=<1>")

	// What is none stays.
	for _, kept := range []struct{ name, value string }{
		{"accept", "text/html;q=0.9, */*"}, {"x-country-code", "de"}, {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		{"x-request-id", "d9b6"}, {"referer", "https://shop.example/a?b=c"}, {"content-type", "multipart/form-data; boundary=x"},
		{"x-monkey", "banana"}, {"x-spin", "left"}, {"sec-ch-ua", `"Chromium";v="140"`},
	} {
		f(kept.name, kept.value, kept.value)
	}
}

func TestRedactedPaths(t *testing.T) {
	r := NewRedactor([32]byte{1})
	f := func(path, want string) {
		t.Helper()
		if got := string(r.text(nil, []byte(path))); got != r.expected(want) {
			t.Errorf("%s becomes %s, want %s = %s", path, got, want, r.expected(want))
		}
	}
	f("/v1/orders/17?limit=10&page=2", "/v1/orders/17?limit=10&page=2")
	f("/v1/orders?api_key=abc&limit=10", "/v1/orders?api_key=<abc>&limit=10")
	f("/x?key=1&sig=2&signature=3&X-Amz-Signature=4&password=5&client_secret=6&access_token=7&code=8&sid=9",
		"/x?key=<1>&sig=<2>&signature=<3>&X-Amz-Signature=<4>&password=<5>&client_secret=<6>&access_token=<7>&code=<8>&sid=<9>")
	f("/x?accessToken=1&apiKey=2&authKey=3&userPin=4", "/x?accessToken=<1>&apiKey=<2>&authKey=<3>&userPin=<4>")
	f("/x?user[password]=1&user%5Bpassword%5D=2&p%61ssword=3", "/x?user[password]=<1>&user%5Bpassword%5D=<2>&p%61ssword=<3>")
	f("/x?token=a/b==&c=d", "/x?token=<a/b==>&c=d")
	f("/x?a=b;token=c", "/x?a=b;token=<c>")
	f("/x?a=b?token=c", "/x?a=b?token=<c>")
	f("/x?token", "/x?token")
	f("/x?token=&a=b", "/x?token=&a=b")
	f("/x;jsessionid=ABC/y;v=1?z", "/x;jsessionid=<ABC>/y;v=1?z")
	f("/verify/eyJhbGciOiJub25lIn0.e30.", "/verify/<eyJhbGciOiJub25lIn0.e30.>")
	f("/x?eyJhbGciOiJub25lIn0.e30.", "/x?<eyJhbGciOiJub25lIn0.e30.>")
	f("/x?country_code=de&monkey=1&author=me&passing=1", "/x?country_code=de&monkey=1&author=me&passing=1")
	// A URL within: what is escaped is hashed whole if a secret is in it.
	f("/go?next=/cb?token=abc", "/go?next=/cb?token=<abc>")
	f("/go?next=%2Fcb%3Fa%3Db", "/go?next=%2Fcb%3Fa%3Db")
	f("/go?next=%2Fcb%3Ftoken%3Dabc", "/go?next=<%2Fcb%3Ftoken%3Dabc>")
	f("/go?next=%252Fcb%253Ftoken%253Dabc", "/go?next=<%252Fcb%253Ftoken%253Dabc>")
	f("/go?u=https://me:pw@example/", "/go?u=https://<me:pw>@example/")
	f("/go?u=https%3A%2F%2Fme:pw%40example", "/go?u=<https%3A%2F%2Fme:pw%40example>")
	f("/go?h=Bearer%20abcdefghijkl", "/go?h=<Bearer%20abcdefghijkl>")
	f("/go?h=Bearer+abcdefghijkl", "/go?h=<Bearer+abcdefghijkl>")
	f("", "")
	f("*", "*")
	f("/%zz?%=%&%4", "/%zz?%=%&%4")
}

// TestHashes: the same value is the same wherever it stands, another key gives
// another hash, and nobody can be told from space around a value.
func TestHashes(t *testing.T) {
	a, b := NewRedactor([32]byte{1}), NewRedactor([32]byte{2})
	one := string(a.hash(nil, []byte("secret")))
	if !regexp.MustCompile(`^~[0-9a-f]{32}$`).MatchString(one) {
		t.Errorf("hash %q", one)
	}
	if got := string(a.hash(nil, []byte(" secret\t"))); got != one {
		t.Errorf("with space around it: %s, not %s", got, one)
	}
	if string(b.hash(nil, []byte("secret"))) == one || string(a.hash(nil, []byte("Secret"))) == one {
		t.Error("another key or value, the same hash")
	}
	if got := string(a.header(nil, []byte("cookie"), []byte("session=secret"))); got != "session="+one {
		t.Errorf("the cookie %s does not agree with the header %s", got, one)
	}
	if got := string(a.text(nil, []byte("/?token=secret"))); got != "/?token="+one {
		t.Errorf("the parameter %s does not agree with the header %s", got, one)
	}
}
