package recorded

import "bytes"

// What is a credential is told by the name that a value has, and for a few
// kinds of value by how it begins. A value too many costs readability, a value
// too few is in a file: what is doubtful is hashed.

// secretParts make a name secret wherever they stand in it, once lower case
// and without its punctuation: "X-Auth-Token", "accessToken", "user[password]".
var secretParts = [][]byte{
	[]byte("token"), []byte("secret"), []byte("passw"), []byte("passphrase"), []byte("pwd"),
	[]byte("signature"), []byte("credential"), []byte("authorization"), []byte("assertion"),
	[]byte("apikey"), []byte("accesskey"), []byte("privatekey"), []byte("authkey"),
	[]byte("session"), []byte("cookie"), []byte("jwt"), []byte("csrf"), []byte("xsrf"),
}

// secretWords make a name secret where they are one of its words:
// "x-goog-key", "sort_key", "auth".
var secretWords = map[string]bool{
	"key": true, "sig": true, "auth": true, "pass": true, "pin": true, "otp": true,
	"sid": true, "hmac": true, "bearer": true, "ticket": true,
}

// oauthCode is secret as it is; a country code must stay readable.
const oauthCode = "code"

// secretStarts are how tokens begin that are known by their beginning: JSON in
// base64 (JWT), cloud and code hosting keys.
var secretStarts = [][]byte{
	[]byte("eyJ"), []byte("sk_live_"), []byte("sk_test_"), []byte("ghp_"), []byte("github_pat_"),
	[]byte("glpat-"), []byte("xoxb-"), []byte("xoxp-"), []byte("AKIA"), []byte("ya29."),
}

// maxSecretName bounds the names that are looked into; longer ones are secret.
const maxSecretName = 64

// secretName says whether what has this name is a credential.
func secretName(name []byte) bool {
	if len(name) > maxSecretName {
		return true
	}
	var room [maxSecretName]byte
	flat, word := room[:0], 0
	for i, c := range name {
		switch {
		case c >= 'A' && c <= 'Z':
			if i > 0 && name[i-1] >= 'a' && name[i-1] <= 'z' { // camelCase begins a word
				if secretWords[string(flat[word:])] {
					return true
				}
				word = len(flat)
			}
			flat = append(flat, c|0x20)
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			flat = append(flat, c)
		default:
			if secretWords[string(flat[word:])] {
				return true
			}
			word = len(flat)
		}
	}
	if secretWords[string(flat[word:])] || string(flat) == oauthCode {
		return true
	}
	for _, part := range secretParts {
		if bytes.Contains(flat, part) {
			return true
		}
	}
	return false
}

// secretValue says whether a value is known for a credential by itself.
func secretValue(v []byte) bool {
	if len(v) < 16 {
		return false
	}
	for _, start := range secretStarts {
		if bytes.HasPrefix(v, start) {
			return true
		}
	}
	scheme, _ := splitScheme(v)
	return scheme > 0
}

// schemes are the first words of credentials (RFC 9110, 11.1) that say how the
// rest is meant, and are no secret.
var schemes = map[string]bool{
	"basic": true, "bearer": true, "digest": true, "dpop": true, "hawk": true, "hoba": true,
	"negotiate": true, "ntlm": true, "apikey": true, "token": true, "aws4-hmac-sha256": true,
}

// splitScheme returns how long the scheme before credentials is and where they
// begin; 0, 0 if there is none.
func splitScheme(v []byte) (scheme, rest int) {
	i := bytes.IndexByte(v, ' ')
	if i <= 0 || i > 16 {
		return 0, 0
	}
	var room [16]byte
	lower := room[:0]
	for _, c := range v[:i] {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		lower = append(lower, c)
	}
	if !schemes[string(lower)] {
		return 0, 0
	}
	return i, i + 1
}

// treatment is what a header's values get.
type treatment uint8

const (
	byName     treatment = iota // not decided yet: secretName
	plainText                   // kept, but for what secretValue or a URL in it shows
	wholeValue                  // hashed
	scheme                      // hashed behind its scheme
	cookies                     // hashed value by value
)

// headerTreatments spares the everyday headers a look at their names.
var headerTreatments = map[string]treatment{
	"authorization": scheme, "proxy-authorization": scheme, "x-original-authorization": scheme, "x-forwarded-authorization": scheme,
	"cookie": cookies, "cookie2": cookies, "set-cookie": cookies,
	"x-api-key": wholeValue, "x-forwarded-client-cert": wholeValue,

	"accept": plainText, "accept-charset": plainText, "accept-encoding": plainText, "accept-language": plainText,
	"cache-control": plainText, "connection": plainText, "content-encoding": plainText, "content-length": plainText,
	"content-type": plainText, "date": plainText, "expect": plainText, "forwarded": plainText, "from": plainText,
	"host": plainText, "if-match": plainText, "if-modified-since": plainText, "if-none-match": plainText,
	"origin": plainText, "pragma": plainText, "range": plainText, "referer": plainText, "sec-fetch-mode": plainText,
	"te": plainText, "traceparent": plainText, "tracestate": plainText, "transfer-encoding": plainText,
	"upgrade": plainText, "user-agent": plainText, "via": plainText, "x-envoy-expected-rq-timeout-ms": plainText,
	"x-forwarded-for": plainText, "x-forwarded-host": plainText, "x-forwarded-proto": plainText, "x-request-id": plainText,
}
