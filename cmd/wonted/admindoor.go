package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
)

// tokenVariable names a token file where --admin-token-file does not: a token
// itself in the environment would be seen by whoever lists processes.
const tokenVariable = "WONTED_ADMIN_TOKEN_FILE"

// asking is how a command reaches the admin listener, beside what the
// configuration says.
type asking struct{ admin, token, ca, cert, key string }

// withAdmin gives cmd --config, and the flags by which it finds the admin
// listener and says who asks.
func withAdmin(cmd *cobra.Command) *settings {
	s := withSettings(cmd)
	f := cmd.Flags()
	f.StringVar(&s.asking.admin, "admin", "", "host:port of the admin listener, https://host:port with TLS (default: the configuration's)")
	f.StringVar(&s.asking.token, "admin-token-file", "", "file with a bearer token, where the listener asks for one (default $"+tokenVariable+")")
	f.StringVar(&s.asking.ca, "admin-ca", "", "PEM file with who has signed the listener's certificate (default: the system's)")
	f.StringVar(&s.asking.cert, "admin-cert", "", "PEM file with a client certificate, in a token's place")
	f.StringVar(&s.asking.key, "admin-key", "", "PEM file with its key")
	return s
}

// door is an admin listener to be asked.
type door struct {
	address string // for people
	base    string // of URLs
	client  *http.Client
	token   string
}

func (s *settings) door() (*door, error) {
	cfg, err := s.load()
	if err != nil {
		return nil, err
	}
	ask := s.asking
	d := &door{client: http.DefaultClient}
	address, encrypted := strings.CutPrefix(ask.admin, "https://")
	if address == "" {
		address = cfg.Admin
	}
	if address == "" {
		return nil, misuse("--admin names it: host:port", "the configuration has no admin listener")
	}
	d.address = reachable(address)
	d.base = "http://" + d.address
	if encrypted || cfg.AdminAuth.TLS.Cert != "" || ask.ca != "" || ask.cert != "" {
		d.base = "https://" + d.address
		if d.client, err = ask.encrypted(); err != nil {
			return nil, err
		}
	}
	file := ask.token
	if file == "" {
		file = os.Getenv(tokenVariable)
	}
	if file != "" {
		token, err := admin.ReadToken(file)
		if err != nil {
			return nil, advise(fmt.Errorf("--admin-token-file: %w", err), "name a file that holds the token alone, as admin_auth.tokens does")
		}
		d.token = string(token)
	}
	return d, nil
}

// reachable is where to ask a listener on all addresses.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// encrypted is a client for TLS.
func (a *asking) encrypted() (*http.Client, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.ca != "" {
		pem, err := os.ReadFile(a.ca)
		c.RootCAs = x509.NewCertPool()
		if err == nil && !c.RootCAs.AppendCertsFromPEM(pem) {
			err = fmt.Errorf("%s holds no certificate", a.ca)
		}
		if err != nil {
			return nil, advise(fmt.Errorf("--admin-ca: %w", err), "name a PEM file")
		}
	}
	if a.cert != "" || a.key != "" {
		pair, err := tls.LoadX509KeyPair(a.cert, a.key)
		if err != nil {
			return nil, advise(fmt.Errorf("--admin-cert, --admin-key: %w", err), "name the PEM files of a certificate and of its key")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}, nil
}

// introduce says who asks: what the listener believes, and for its audit trail
// what it cannot know.
func (d *door) introduce(r *http.Request) {
	if d.token != "" {
		r.Header.Set("authorization", "Bearer "+d.token)
	}
	if u, err := user.Current(); err == nil {
		r.Header.Set(admin.UserHeader, u.Username)
	}
}
