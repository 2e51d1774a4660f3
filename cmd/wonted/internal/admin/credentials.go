package admin

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// leastToken is how long a token must be, in bytes: 32 digits of hex are 128
// bits, which nobody guesses. Longer than mostToken is no token but another
// file.
const leastToken, mostToken = 32, 4096

// Credentials are a Config with its files read. They are immutable.
type Credentials struct {
	asks    bool
	tokens  []credential
	clients map[string]Role
	tls     *tls.Config // nil: plain HTTP

	Warnings []string // what is unwise, and works
}

// credential is a token as it is kept: hashed, so that comparing takes the same
// time whatever was sent, and a dump of the memory does not give it away.
type credential struct {
	name string
	role Role
	sum  [sha256.Size]byte
}

// problem is an error with what to do about it.
type problem struct {
	err  error
	hint string
}

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }
func (p *problem) Hint() string  { return p.hint }

// Load reads the files that a valid Config names.
func (c Config) Load() (*Credentials, error) {
	all := &Credentials{asks: c.Asks(), clients: map[string]Role{}}
	for _, t := range c.Tokens {
		if err := all.token(t); err != nil {
			return nil, &problem{fmt.Errorf("admin_auth: token %s: %w", t.Name, err), "make one with: head -c 32 /dev/urandom | base64 > " + t.File}
		}
	}
	for _, k := range c.Clients {
		all.clients[k.Name] = k.Role
	}
	if c.TLS.Cert != "" {
		if err := all.secure(c.TLS); err != nil {
			return nil, &problem{fmt.Errorf("admin_auth: tls: %w", err), "cert, key and client_ca name PEM files that this user can read"}
		}
	}
	return all, nil
}

func (all *Credentials) token(t Token) error {
	token, err := ReadToken(t.File)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(token)
	for _, other := range all.tokens {
		if other.sum == sum {
			return fmt.Errorf("it is the same as that of %s", other.name)
		}
	}
	all.tokens = append(all.tokens, credential{t.Name, t.Role, sum})
	if info, err := os.Stat(t.File); err == nil && info.Mode().Perm()&0o007 != 0 {
		all.Warnings = append(all.Warnings, fmt.Sprintf("everybody on this machine can read or write %s, the token %s: chmod o= %[1]s", t.File, t.Name))
	}
	return nil
}

// ReadToken reads a token from a file that holds nothing else.
func ReadToken(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	token := bytes.TrimRight(text, "\r\n")
	switch {
	case len(token) == 0:
		return nil, fmt.Errorf("%s is empty", file)
	case len(token) < leastToken || len(token) > mostToken:
		return nil, fmt.Errorf("%s holds %d bytes; a token has %d to %d", file, len(token), leastToken, mostToken)
	case bytes.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, fmt.Errorf("%s holds more than one word of printable ASCII", file)
	}
	return token, nil
}

func (all *Credentials) secure(c TLS) error {
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return err
	}
	all.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if c.ClientCA == "" {
		return nil
	}
	pem, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return err
	}
	all.tls.ClientCAs = x509.NewCertPool()
	if !all.tls.ClientCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", c.ClientCA)
	}
	// Not required: a token does as well, and a probe asks whether wonted is
	// alive without any.
	all.tls.ClientAuth = tls.VerifyClientCertIfGiven
	return nil
}

// bearer finds whose token it is. All are compared, in constant time, so that
// how long it takes tells nothing.
func (all *Credentials) bearer(token string) (name string, role Role, ok bool) {
	sum := sha256.Sum256([]byte(token))
	for i := range all.tokens {
		if c := &all.tokens[i]; subtle.ConstantTimeCompare(sum[:], c.sum[:]) == 1 {
			name, role, ok = c.name, c.role, true
		}
	}
	return name, role, ok
}

// certificate finds who has a certificate that TLS has verified. One that
// nobody is named by may do nothing.
func (all *Credentials) certificate(leaf *x509.Certificate) (name string, role Role, ok bool) {
	names := make([]string, 0, 4)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	names = append(append(names, leaf.DNSNames...), leaf.Subject.CommonName)
	for _, n := range names {
		if role, ok := all.clients[n]; ok && n != "" {
			return n, role, true
		}
	}
	return "", Open, false
}
