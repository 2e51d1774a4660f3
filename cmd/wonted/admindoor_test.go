package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// selfSigned writes a certificate for name and 127.0.0.1, which is its own
// authority, and its key.
func selfSigned(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(file, kind string, der []byte) string {
		file = filepath.Join(dir, file)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", secret)
}

// Commands ask over TLS, with a token or a certificate, as the listener is
// configured.
func TestCommandsAskOverTLS(t *testing.T) {
	t.Chdir(t.TempDir()) // no wonted.yaml
	cert, key := selfSigned(t, "wonted")
	clientCert, clientKey := selfSigned(t, "operator")
	strangerCert, strangerKey := selfSigned(t, "operator")
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(strings.Repeat("t", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.AdminAuth = admin.Config{
		Tokens:  []admin.Token{{Name: "ops", File: token, Role: admin.Read}},
		TLS:     admin.TLS{Cert: cert, Key: key, ClientCA: clientCert},
		Clients: []admin.Client{{Name: "operator", Role: admin.Read}},
	}
	s, err := newService(cfg, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serveHTTP(s, "admin", l, (&web{sv: s}).admin(), s.guard.TLS())
	defer server.Close()

	f := func(want string, flags ...string) {
		t.Helper()
		var out bytes.Buffer
		args := append([]string{"status", "--admin", "https://" + l.Addr().String()}, flags...)
		err := run(t.Context(), args, stdio{out: &out, err: &out})
		explain(&out, err)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q: %s, want %s", flags, &out, want)
		}
	}
	f("--admin-ca names a file") // nobody vouches for it
	f("who is asking?", "--admin-ca", cert)
	f("mode  ", "--admin-ca", cert, "--admin-token-file", token)
	f("mode  ", "--admin-ca", cert, "--admin-cert", clientCert, "--admin-key", clientKey)
	f("no answer from", "--admin-ca", cert, "--admin-cert", strangerCert, "--admin-key", strangerKey)
	f("--admin-cert, --admin-key: ", "--admin-ca", cert, "--admin-cert", clientCert)
	f("holds no certificate", "--admin-ca", token)

	if res, err := http.Get("http://" + l.Addr().String() + "/healthz"); err == nil {
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			t.Error("it answers without TLS")
		}
	}
}

func TestReachable(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8181": "127.0.0.1:8181", "0.0.0.0:8181": "127.0.0.1:8181", ":8181": "127.0.0.1:8181", "[::]:8181": "127.0.0.1:8181",
		"wonted.example:8181": "wonted.example:8181", "192.0.2.1:1": "192.0.2.1:1", "odd": "odd",
	} {
		if got := reachable(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// Every command that asks the admin listener can say who asks.
func TestCommandsThatAskCanSayWhoAsks(t *testing.T) {
	asking := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Flags().Lookup("admin") != nil && c.Name() != "serve" {
			asking++
			for _, name := range []string{"admin-token-file", "admin-ca", "admin-cert", "admin-key", "config"} {
				if c.Flags().Lookup(name) == nil {
					t.Errorf("%s has no --%s: withAdmin gives it", c.CommandPath(), name)
				}
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(stdio{}))
	if asking < 5 {
		t.Errorf("only %d commands ask", asking)
	}
}
