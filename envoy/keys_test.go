package envoy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
)

// authority signs the certificates of one test.
type authority struct {
	dir, certificate string // file
	key              *ecdsa.PrivateKey
	x509             *x509.Certificate
}

// pair is a certificate and its key, as PEM files.
type pair struct{ certificate, key string }

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.x509, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.certificate = writePEM(t, filepath.Join(a.dir, "ca.pem"), "CERTIFICATE", der)
	return a
}

// server is a certificate for loopback.
func (a *authority) server(t testing.TB) pair {
	return a.issue(t, "server", &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// client is a certificate for a workload with a SPIFFE id.
func (a *authority) client(t testing.TB, id string) pair {
	t.Helper()
	uri, err := url.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return a.issue(t, "client", &x509.Certificate{
		URIs: []*url.URL{uri}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (a *authority) issue(t testing.TB, name string, template *x509.Certificate) pair {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = a.x509.NotBefore, a.x509.NotAfter
	template.KeyUsage = x509.KeyUsageDigitalSignature
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.x509, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		certificate: writePEM(t, filepath.Join(a.dir, name+".pem"), "CERTIFICATE", der),
		key:         writePEM(t, filepath.Join(a.dir, name+".key"), "PRIVATE KEY", secret),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t testing.TB, path, kind string, der []byte) string {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issuer signs tokens with ES256.
type issuer struct{ key *ecdsa.PrivateKey }

const issuerName = "https://login.example.com"

func newIssuer(t testing.TB) issuer { return issuer{newKey(t)} }

// options writes the public key as a JWKS for Envoy.
func (i issuer) options(t testing.TB) envoy.JWT {
	t.Helper()
	point, err := i.key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		t.Fatal(err)
	}
	keys := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"k","x":%q,"y":%q}]}`,
		base64url(point[1:33]), base64url(point[33:]))
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	return envoy.JWT{Name: "login", Issuer: issuerName, JWKS: path}
}

// token is a signed JWT for a subject.
func (i issuer) token(t testing.TB, subject string) string {
	t.Helper()
	return i.sign(t, map[string]any{"sub": subject})
}

// sign is a token of these claims, and of those that Envoy asks for.
func (i issuer) sign(t testing.TB, all map[string]any) string {
	t.Helper()
	all["iss"], all["exp"] = issuerName, time.Now().Add(time.Hour).Unix()
	claims, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signed := base64url([]byte(`{"alg":"ES256","typ":"JWT","kid":"k"}`)) + "." + base64url(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64url(signature)
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
