package admin

import (
	"fmt"
	"slices"
)

// Config is the section admin_auth: who may ask the admin listener. Empty, it
// lets everybody who can reach the listener do everything, which is why that
// must be on loopback then.
type Config struct {
	Tokens  []Token  `yaml:"tokens"`
	TLS     TLS      `yaml:"tls"`
	Clients []Client `yaml:"clients"`
}

// Token is a bearer token, in a file: a configuration is shown around.
type Token struct {
	Name string `yaml:"name"` // for the audit trail
	File string `yaml:"file"` // holds the token alone
	Role Role   `yaml:"role"`
}

// TLS are PEM files. With ClientCA, clients may show a certificate of it in a
// token's place.
type TLS struct {
	Cert     string `yaml:"cert"`
	Key      string `yaml:"key"`
	ClientCA string `yaml:"client_ca"`
}

// Client is who has a certificate: its URI or DNS name, or its common name.
type Client struct {
	Name string `yaml:"name"`
	Role Role   `yaml:"role"`
}

// Asks says whether anybody is asked who they are.
func (c Config) Asks() bool { return len(c.Tokens) > 0 || c.TLS.ClientCA != "" }

// Validate finds what contradicts itself; Load reads the files. An error begins
// with the key that it is about.
func (c Config) Validate() error {
	var seen []string
	for i, t := range c.Tokens {
		at := fmt.Sprintf("tokens[%d]", i)
		switch {
		case !plainName(t.Name):
			return fmt.Errorf("%s: the name %q does not do; write 1 to 64 letters, digits and . _ - @ : it stands in the audit trail", at, t.Name)
		case slices.Contains(seen, t.Name):
			return fmt.Errorf("%s: two tokens are called %q; give each a name of its own, so that the audit trail tells them apart", at, t.Name)
		case t.File == "":
			return fmt.Errorf("%s: no file; name a file that holds the token: head -c 32 /dev/urandom | base64 > FILE", at)
		case t.Role == Open:
			return fmt.Errorf("%s: no role; write role: read or role: write", at)
		}
		seen = append(seen, t.Name)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return fmt.Errorf("tls: a certificate and its key belong together; name both, cert and key")
	}
	if c.TLS.ClientCA != "" && c.TLS.Cert == "" {
		return fmt.Errorf("tls: client_ca needs TLS; name cert and key as well")
	}
	if (c.TLS.ClientCA == "") != (len(c.Clients) == 0) {
		return fmt.Errorf("clients: certificates are known by tls.client_ca, and what they may do by clients; write both or neither")
	}
	seen = nil
	for i, k := range c.Clients {
		switch at := fmt.Sprintf("clients[%d]", i); {
		case k.Name == "":
			return fmt.Errorf("%s: no name; write the URI, DNS or common name of its certificate", at)
		case slices.Contains(seen, k.Name):
			return fmt.Errorf("%s: %q has two roles; write one", at, k.Name)
		case k.Role == Open:
			return fmt.Errorf("%s: no role; write role: read or role: write", at)
		}
		seen = append(seen, k.Name)
	}
	return nil
}

func plainName(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' || c == '@' || c == ':') {
			return false
		}
	}
	return true
}

// UnmarshalText accepts the roles that somebody can be given.
func (r *Role) UnmarshalText(text []byte) error {
	for _, role := range []Role{Read, Write} {
		if string(text) == role.String() {
			*r = role
			return nil
		}
	}
	return fmt.Errorf(`unknown role %q; "read" sees, "write" changes as well`, text)
}
