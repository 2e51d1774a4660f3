package rego

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/bundle"

	"github.com/wonted-project/wonted/policy"
)

func pemOf(certificate []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

// tarball is a bundle that OPA's writer would not write.
func tarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z.Close()
	return out.Bytes()
}

// keyPair writes a key for ES256 and gives who signs with it, and the file of
// its public half.
func keyPair(t *testing.T, dir, name string) (*bundle.SigningConfig, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name+".pub")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600); err != nil {
		t.Fatal(err)
	}
	return bundle.NewSigningConfig(string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})), "ES256", ""), file
}

func TestSignedBundles(t *testing.T) {
	dir := t.TempDir()
	ours, key := keyPair(t, dir, "ours")
	theirs, other := keyPair(t, dir, "theirs")
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("a shared secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := pack(t, "1", fileMap{"/policy.rego": denyAll, "/data.json": `{"a": 1}`}, ours)
	s := serveBundle(t, good)
	src := sourceOf(s.url())
	src.Dir = t.TempDir()
	src.Signing = Signing{Key: key, Algorithm: "ES256"}
	b := opened(t, src)
	f := func(body []byte, want string) {
		t.Helper()
		s.serves(body)
		if err := b.fetch(t.Context()); err == nil || !strings.Contains(b.failure.Error(), want) {
			t.Errorf("failure %v, want %q", b.failure, want)
		}
		if got := b.action(t); got != policy.Deny {
			t.Fatalf("%q is in force", want)
		}
	}
	next := fileMap{"/policy.rego": throttleAll}
	f(pack(t, "2", next), "missing .signatures.json")
	f(pack(t, "2", next, theirs), "verif")
	f(tarball(t, fileMap{"/policy.rego": throttleAll, "/.signatures.json": `{"signatures": ["a.b.c"]}`}), "")
	f(tarball(t, fileMap{"/policy.rego": throttleAll, "/.signatures.json": `{"signatures": []}`}), "signature")
	f(tarball(t, fileMap{"/patch.json": `{"data": [{"op": "upsert", "path": "/a", "value": 1}]}`}), "delta")
	f(retouched(t, pack(t, "2", next, ours), throttleAll, strings.Replace(throttleAll, "all", "few", 1)), "digest mismatch")
	s.serves(pack(t, "2", next, ours))
	if err := b.fetch(t.Context()); err != nil || b.action(t) != policy.Throttle {
		t.Errorf("the next good one: %v", err)
	}

	// The signature of a kept one is verified, too.
	s.Close()
	if got := opened(t, src).action(t); got != policy.Throttle {
		t.Errorf("kept: %v", got)
	}
	src.Signing.Key = other
	if _, err := tryOpen(t, src); err == nil {
		t.Error("a kept one is used though another key is asked for")
	}
	src.Signing = Signing{Key: filepath.Join(dir, "none"), Algorithm: "ES256"}
	if _, err := tryOpen(t, src); err == nil || !strings.Contains(err.Error(), "signing key") {
		t.Errorf("a key that is not there: %v", err)
	}

	s.start(t, s.address)
	s.serves(pack(t, "3", fileMap{"/policy.rego": denyAll}, bundle.NewSigningConfig("a shared secret", "HS256", "")))
	src.Dir, src.Signing = "", Signing{Key: secret, Algorithm: "HS256"}
	if got := opened(t, src).action(t); got != policy.Deny {
		t.Errorf("by a secret: %v", got)
	}
	src.Signing.Scope = "write"
	if _, err := tryOpen(t, src); err == nil || !strings.Contains(err.Error(), "scope") {
		t.Errorf("a signature of another scope: %v", err)
	}
}

// retouched is a bundle in which a file has been changed after it was signed.
func retouched(t *testing.T, packed []byte, old, new string) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	if len(old) != len(new) || !bytes.Contains(plain.Bytes(), []byte(old)) {
		t.Fatal("nothing to retouch")
	}
	return gzipped(string(bytes.ReplaceAll(plain.Bytes(), []byte(old), []byte(new))))
}
