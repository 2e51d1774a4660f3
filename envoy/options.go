package envoy

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Options say what a rendered Envoy listens on, what it protects, and how it
// reaches wonted. The zero value of a field is its default where one is named.
type Options struct {
	Listen   string // host:port for clients
	Admin    string // host:port of Envoy's admin page; default 127.0.0.1:9901
	Upstream string // host:port of the protected API

	UpstreamHTTP2 bool // the upstream speaks HTTP/2 (gRPC)

	// Wonted is where wonted listens, written as in its own configuration:
	// unix:///run/wonted/extproc.sock or host:port. Bare leaves the filter out
	// altogether, which is Envoy as it was before.
	Wonted string
	Bare   bool

	// LogFlush is how long Envoy holds entries of the access log back, to send
	// many at once; default 100ms.
	LogFlush time.Duration

	// Replicas are the addresses of further wonted, each of which is asked about
	// a share of the callers: by the request header Affinity (default x-api-key,
	// the name of a caller), and by address where a request has none. The depth
	// must be headers or bodies; replicas.go says why.
	Replicas []string
	Affinity string

	// ExtAuthz is the address, written as Wonted, of a gRPC ext_authz server
	// that is asked in wonted's place: a peer to be measured against.
	ExtAuthz string

	// Depth is how much of an exchange wonted is shown; "" is adaptive. A
	// processor that is not wonted, and serves no access log, needs headers.
	Depth Depth
	// LogHeaders are request headers that the access log carries at depth log,
	// beside those that wonted reads by default.
	LogHeaders []string

	// Blocks puts a filter before all others that refuses addresses and
	// networks in quarantine without asking wonted. Its list comes from wonted's
	// own socket or, with BlocksFile, from the file that wonted keeps it in
	// (edge.file), which must be there when Envoy starts.
	Blocks     bool
	BlocksFile string

	FailOpen       bool          // requests go on while wonted is down or late
	MessageTimeout time.Duration // how long a request waits for wonted; default 200ms

	// TrustedProxies is the number of hops in front of Envoy whose
	// X-Forwarded-For may be believed. The same number belongs in wonted's
	// trusted_proxies.
	TrustedProxies int

	TLS *TLS  // nil: plain text, and then no JA4
	JWT []JWT // token issuers whose claims Envoy verifies for wonted

	AccessLog   string // file of a JSON access log that `wonted replay` reads; "": none
	BufferBytes int    // per connection; default Envoy's 1 MiB
	Concurrency int    // worker threads of a started Envoy; default one a core

	// ResponseHeaders asks for the response headers of every exchange in the
	// filter's base configuration. wonted needs it off: it asks exchange by
	// exchange. A processor that never overrides the mode needs it on.
	ResponseHeaders bool
	// ResponseBodies asks for every response body in chunks, likewise.
	ResponseBodies bool
}

// TLS terminates TLS at the listener and fingerprints the client's hello.
type TLS struct {
	Certificate, Key string // PEM files
	ClientCA         string // PEM file; clients may then present a certificate that it signed
}

// JWT is an issuer of tokens. A request without a token passes to wonted, one
// with a token that does not verify is refused by Envoy.
type JWT struct {
	Name      string // of the provider, and of the claims in the metadata
	Issuer    string // claim iss
	JWKS      string // file with the issuer's public keys
	Audiences []string
}

const (
	defaultAdmin   = "127.0.0.1:9901"
	defaultTimeout = 200 * time.Millisecond

	// maxSocketPath is sockaddr_un.sun_path less its terminating zero.
	maxSocketPath = 107

	// maxBuffer keeps Envoy's body messages (up to 2.6 times the buffer)
	// within what wonted's server accepts.
	maxBuffer = 16 << 20
)

// headerName is what Envoy takes for one, except that it takes capitals and
// lowers them.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9a-z-]{1,255}$")

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Admin == "" {
		o.Admin = defaultAdmin
	}
	if o.MessageTimeout == 0 {
		o.MessageTimeout = defaultTimeout
	}
	if o.Depth == "" {
		o.Depth = DepthAdaptive
	}
	if o.LogFlush == 0 {
		o.LogFlush = logFlush
	}
	if o.Affinity == "" {
		o.Affinity = defaultAffinity
	}
	return o
}

// validate refuses what Envoy would refuse later or, worse, accept and do
// something else with. It reports every fault at once.
func (o Options) validate() error {
	var faults []error
	refuse := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	address := func(name, value string) {
		if err := checkHostPort(value); err != nil {
			refuse("%s: %w", name, err)
		}
	}
	// Files are read by Envoy, maybe on another machine: only their names are
	// looked at here.
	file := func(name, path string, optional bool) {
		if path == "" && !optional || !utf8.ValidString(path) {
			refuse("%s: %q is not the name of a file", name, path)
		}
	}

	address("listen", o.Listen)
	address("admin", o.Admin)
	address("upstream", o.Upstream)
	if port(o.Upstream) == 0 {
		refuse("upstream: %q has no port to connect to", o.Upstream)
	}
	if o.Listen == o.Admin && port(o.Listen) != 0 {
		refuse("admin: %s is the address of listen as well", o.Admin)
	}
	if host, _, err := net.SplitHostPort(o.Listen); err == nil && host != "" && net.ParseIP(host) == nil {
		refuse("listen: Envoy binds addresses, not names: write %q as an IP address (0.0.0.0 for all)", host)
	}
	if host, _, err := net.SplitHostPort(o.Admin); err == nil && net.ParseIP(host) == nil {
		refuse("admin: Envoy binds addresses, not names: write %q as an IP address (127.0.0.1)", host)
	}
	if err := o.Depth.validate(); err != nil {
		refuse("%w", err)
	}
	if o.LogFlush < time.Millisecond || o.LogFlush > 10*time.Second {
		refuse("log flush: %v is outside 1ms to 10s", o.LogFlush)
	}
	for _, name := range o.LogHeaders {
		if !headerName.MatchString(name) {
			refuse("log headers: %q is not the name of a header, in small letters", name)
		}
	}
	for _, address := range o.Replicas {
		if err := checkProcessor(address); err != nil {
			refuse("replicas: %w", err)
		}
	}
	if len(o.Replicas) > 0 && (o.Wonted == "" || o.Depth.logged()) {
		refuse("replicas: they need a first one, wonted, and the depth headers or bodies: an access log cannot be shared out")
	}
	if !headerName.MatchString(o.Affinity) {
		refuse("affinity: %q is not the name of a header, in small letters", o.Affinity)
	}
	if o.Blocks && (o.Wonted == "" || len(o.Replicas) > 0) {
		refuse("blocks: they come from wonted, and from one: it needs an address, and no replicas")
	}
	if o.BlocksFile != "" && (!o.Blocks || !filepath.IsAbs(o.BlocksFile) || !utf8.ValidString(o.BlocksFile)) {
		refuse("blocks file: %q is not the absolute name of a file, or there is no filter that reads it", o.BlocksFile)
	}
	switch {
	case o.Bare && o.Wonted != "":
		refuse("wonted: an address is given, and bare leaves the filter out: choose one")
	case o.ExtAuthz != "":
		if o.Bare || o.Wonted != "" {
			refuse("ext_authz: it stands where wonted would, and bare or wonted is given as well: choose one")
		}
		if err := checkProcessor(o.ExtAuthz); err != nil {
			refuse("ext_authz: %w", err)
		}
	case !o.Bare:
		if err := checkProcessor(o.Wonted); err != nil {
			refuse("wonted: %w", err)
		}
	}
	if o.MessageTimeout < time.Millisecond || o.MessageTimeout > time.Minute {
		refuse("message timeout: %v is outside 1ms to 1m", o.MessageTimeout)
	}
	if o.TrustedProxies < 0 || o.TrustedProxies > 16 {
		refuse("trusted proxies: %d is outside 0 to 16", o.TrustedProxies)
	}
	if o.BufferBytes != 0 && (o.BufferBytes < 32<<10 || o.BufferBytes > maxBuffer) {
		refuse("buffer: %d bytes is outside 32 KiB to 16 MiB", o.BufferBytes)
	}
	if o.Concurrency < 0 || o.Concurrency > 1024 {
		refuse("concurrency: %d is outside 0 (one a core) to 1024", o.Concurrency)
	}
	file("access log", o.AccessLog, true)
	if o.TLS != nil {
		file("tls certificate", o.TLS.Certificate, false)
		file("tls key", o.TLS.Key, false)
		file("tls client CA", o.TLS.ClientCA, true)
	}
	names := map[string]bool{}
	for i, j := range o.JWT {
		if j.Name == "" || names[j.Name] || !utf8.ValidString(j.Name) {
			refuse("jwt %d: each issuer needs a name of its own", i+1)
		}
		names[j.Name] = true
		if j.Issuer == "" || !utf8.ValidString(j.Issuer) {
			refuse("jwt %d: the issuer (claim iss) is missing: tokens of any issuer would pass", i+1)
		}
		file(fmt.Sprintf("jwt %d jwks", i+1), j.JWKS, false)
	}
	return errors.Join(faults...)
}

func checkHostPort(value string) error {
	host, p, err := net.SplitHostPort(value)
	if err != nil {
		return fmt.Errorf("%q is not host:port", value)
	}
	if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q: the port must be 0 to 65535", value)
	}
	if !utf8.ValidString(host) || strings.ContainsAny(host, " \t\r\n/") {
		return fmt.Errorf("%q: the host is not a name or an address", value)
	}
	return nil
}

// checkProcessor accepts the listen addresses of wonted that Envoy can dial.
func checkProcessor(value string) error {
	path, unix := strings.CutPrefix(value, "unix://")
	switch {
	case value == "":
		return errors.New("no address: give wonted's own listen, unix:///path or host:port")
	case !unix:
		if err := checkHostPort(value); err != nil {
			return fmt.Errorf("%w, nor unix:///path", err)
		}
		if port(value) == 0 {
			return fmt.Errorf("%q has no port to connect to", value)
		}
	case strings.HasPrefix(path, "@"): // abstract: no file, no permissions
	case !filepath.IsAbs(path):
		return fmt.Errorf("%q: Envoy does not share wonted's working directory: make the socket's path absolute", value)
	}
	if len(path) > maxSocketPath && unix {
		return fmt.Errorf("the socket's path has %d bytes and the kernel takes %d: choose a shorter directory", len(path), maxSocketPath)
	}
	if !utf8.ValidString(path) {
		return fmt.Errorf("%q is not UTF-8", value)
	}
	return nil
}

// port returns the port of a checked host:port, 0 if there is none.
func port(hostport string) uint32 {
	_, p, err := net.SplitHostPort(hostport)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(p, 10, 16)
	return uint32(n)
}
