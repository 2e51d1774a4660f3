package admin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const readToken, writeToken = "read-0123456789abcdef0123456789ab", "write-0123456789abcdef0123456789a"

// file makes a file of this test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// things is an API of one route of each role, behind c.
func things(t *testing.T, c Config, now *time.Time) *API {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	held, err := c.Load()
	if err != nil {
		t.Fatal(err)
	}
	a := New(Options{
		Guard: NewGuard(held, func() time.Time { return *now }, nil), Trail: NewTrail(nil, func(Entry) {}), Clock: time.Now,
		Hide: func(string) string { return "hidden" }, Complain: func(error) {},
	})
	a.Open("GET /healthz", "alive", nothing)
	a.Read("GET /v1/things", "lists things", nil, nothing)
	a.Write("POST /v1/things", "adds a thing", nil, nil, nothing)
	a.Describe()
	return a
}

func twoTokens(t *testing.T) Config {
	return Config{Tokens: []Token{
		{"dashboard", file(t, "r", readToken+"\n"), Read}, {"ops", file(t, "w", writeToken+"\r\n"), Write},
	}}
}

func TestRoles(t *testing.T) {
	now := time.Now()
	a := things(t, twoTokens(t), &now)
	f := func(method, path, authorization string, want int) {
		t.Helper()
		r := httptest.NewRequest(method, path, nil)
		if authorization != "" {
			r.Header.Set("authorization", authorization)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s as %q: %d, want %d", method, path, authorization, w.Code, want)
		}
		if asked := w.Header().Get("www-authenticate"); (want == http.StatusUnauthorized) != (asked == `Bearer realm="wonted"`) {
			t.Errorf("%s %s as %q: www-authenticate %q", method, path, authorization, asked)
		}
	}
	f("GET", "/healthz", "", http.StatusOK)
	f("GET", "/v1/things", "", http.StatusUnauthorized)
	f("GET", "/v1/things", "Bearer "+readToken, http.StatusOK)
	f("GET", "/v1/things", "bearer "+writeToken, http.StatusOK)
	f("HEAD", "/v1/things", "", http.StatusUnauthorized)
	f("POST", "/v1/things", "", http.StatusUnauthorized)
	f("POST", "/v1/things", "Bearer "+readToken, http.StatusForbidden)
	f("POST", "/v1/things", "Bearer "+writeToken, http.StatusOK)
	f("POST", "/v1/things", "Basic "+writeToken, http.StatusUnauthorized)
	f("POST", "/v1/things", "Bearer "+writeToken+"x", http.StatusUnauthorized)
	f("POST", "/v1/things", "Bearer "+writeToken[:len(writeToken)-1], http.StatusUnauthorized)
	f("POST", "/v1/things", "Bearer ", http.StatusUnauthorized)
	// What there is not tells nobody so.
	f("GET", "/v1/nothing", "", http.StatusUnauthorized)
	f("GET", "/v1/nothing", "Bearer "+readToken, http.StatusNotFound)
	f("DELETE", "/v1/things", "", http.StatusUnauthorized)
	f("DELETE", "/v1/things", "Bearer "+writeToken, http.StatusMethodNotAllowed)
}

func TestGuessingIsSlow(t *testing.T) {
	now := time.Now()
	a := things(t, twoTokens(t), &now)
	ask := func(from, token string) int {
		r := httptest.NewRequest("GET", "/v1/things", nil)
		r.RemoteAddr = from + ":1234"
		r.Header.Set("authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Code
	}
	for i := range wrongBurst {
		if got := ask("192.0.2.1", "wrong"); got != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", i, got)
		}
	}
	if got := ask("192.0.2.1", readToken); got != http.StatusTooManyRequests {
		t.Errorf("after %d guesses: %d: the next may still be right", wrongBurst, got)
	}
	if got := ask("192.0.2.2", readToken); got != http.StatusOK {
		t.Errorf("somebody else: %d", got)
	}
	now = now.Add(time.Second)
	if got := ask("192.0.2.1", readToken); got != http.StatusOK {
		t.Errorf("a second later: %d", got)
	}
	for i := range 3 * wrongAddresses {
		ask(net.IPv4(198, 51, byte(i>>8), byte(i)).String(), "wrong")
	}
	if n := len(a.guard.wrong.of); n > wrongAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestTokensAreExchangedWhileServing(t *testing.T) {
	now := time.Now()
	c := twoTokens(t)
	a := things(t, c, &now)
	if err := os.WriteFile(c.Tokens[0].File, []byte(strings.Repeat("n", 40)), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Chmod(c.Tokens[0].File, 0o644)
	held, err := c.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(held.Warnings) != 1 || !strings.Contains(held.Warnings[0], "dashboard") {
		t.Errorf("of a file that everybody reads: %q", held.Warnings)
	}
	a.guard.Change(held)
	for token, want := range map[string]int{readToken: 401, strings.Repeat("n", 40): 200} {
		r := httptest.NewRequest("GET", "/v1/things", nil)
		r.Header.Set("authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", token, w.Code, want)
		}
	}
}

func TestBadFiles(t *testing.T) {
	f := func(c Config, want string) {
		t.Helper()
		_, err := c.Load()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
			return
		}
		if h, ok := err.(interface{ Hint() string }); !ok || h.Hint() == "" {
			t.Errorf("%v: no hint", err)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v tells the secret", err)
		}
	}
	one := func(path string) Config { return Config{Tokens: []Token{{"ops", path, Read}}} }
	f(one("/nowhere/token"), "no such file")
	f(one(file(t, "a", "")), "is empty")
	f(one(file(t, "a", "\n")), "is empty")
	f(one(file(t, "a", "s3cret\n")), "holds 6 bytes")
	f(one(file(t, "a", "s3cret-s3cret-s3cret-s3cret-s3cret and more")), "more than one word")
	f(one(file(t, "a", strings.Repeat("s3cret", 1000))), "a token has 32 to 4096")
	same := file(t, "a", writeToken)
	f(Config{Tokens: []Token{{"a", same, Read}, {"b", same, Write}}}, "the same as that of a")
	f(Config{TLS: TLS{Cert: same, Key: same}}, "tls")
}

// authority makes certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, key := a.sign(template, template, nil)
	a.cert, a.key = cert, key
	a.file = file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	return a
}

func (a *authority) sign(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) issue(name string) (cert, key string) {
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	if u, err := url.Parse(name); err == nil && u.Scheme != "" {
		template.URIs = []*url.URL{u}
	}
	c, k := a.sign(template, a.cert, a.key)
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return file(a.t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))),
		file(a.t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
}

func TestClientCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	cert, key := ours.issue("wonted")
	now := time.Now()
	a := things(t, Config{
		TLS:     TLS{Cert: cert, Key: key, ClientCA: ours.file},
		Clients: []Client{{"dashboard", Read}, {"spiffe://example.org/ops", Write}},
	}, &now)
	server := httptest.NewUnstartedServer(a)
	server.TLS = a.guard.TLS()
	server.StartTLS()
	defer server.Close()

	f := func(by *authority, name, method string, want int) {
		t.Helper()
		c := &tls.Config{RootCAs: x509.NewCertPool()}
		c.RootCAs.AddCert(ours.cert)
		if by != nil {
			cert, key := by.issue(name)
			pair, err := tls.LoadX509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			// Whatever the server asks for, as somebody with ill intent does.
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
		defer client.CloseIdleConnections()
		req, _ := http.NewRequest(method, server.URL+"/v1/things", nil)
		res, err := client.Do(req)
		if err != nil {
			if want != 0 {
				t.Errorf("%s as %q: %v", method, name, err)
			}
			return
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s as %q: %d, want %d", method, name, res.StatusCode, want)
		}
	}
	f(ours, "dashboard", "GET", http.StatusOK)
	f(ours, "dashboard", "POST", http.StatusForbidden)
	f(ours, "spiffe://example.org/ops", "POST", http.StatusOK)
	f(ours, "somebody", "GET", http.StatusForbidden)
	f(nil, "", "GET", http.StatusUnauthorized)
	f(theirs, "dashboard", "GET", 0) // the handshake fails
}
