package envoy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// faults are all that is wrong with options.
type faults []error

func (f *faults) refuse(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

// file refuses what cannot be the name of a file. Files are read by Envoy, maybe
// on another machine: nothing is opened here.
func (f *faults) file(name, path string, optional bool) {
	if path == "" && !optional || !utf8.ValidString(path) {
		f.refuse("%s: %q is not the name of a file", name, path)
	}
}

// validate refuses what Envoy would refuse later or, worse, accept and do
// something else with. It reports every fault at once.
func (o Options) validate() error {
	var f faults
	o.validateListener(&f)
	o.validateWonted(&f)
	o.validateTokens(&f)
	return errors.Join(f...)
}

// validateListener looks at what only a complete bootstrap says.
func (o Options) validateListener(f *faults) {
	refuse := f.refuse
	address := func(name, value string) {
		if err := checkHostPort(value); err != nil {
			refuse("%s: %w", name, err)
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
	if o.TLS != nil {
		if o.TLS.Certificate == "" {
			refuse("tls certificate: there is a key (or a client CA) without the certificate that Envoy is to present")
		}
		f.file("tls certificate", o.TLS.Certificate, true)
		f.file("tls key", o.TLS.Key, false)
		f.file("tls client CA", o.TLS.ClientCA, true)
	} else if o.JA4 {
		refuse("ja4: without a TLS certificate clients speak plain text here, and there is no hello to fingerprint")
	}
	if o.Concurrency < 0 || o.Concurrency > 1024 {
		refuse("concurrency: %d is outside 0 (one a core) to 1024", o.Concurrency)
	}
	for _, path := range o.Skip {
		if err := checkPath(path); err != nil {
			refuse("skip: %w", err)
		}
	}
	if o.Readiness != "" && o.Readiness != ReadinessPod {
		if err := checkPath(o.Readiness); err != nil || strings.HasSuffix(o.Readiness, "*") {
			refuse("readiness: %q is neither the path that Envoy is to answer nor %q, the pod's own probe", o.Readiness, ReadinessPod)
		}
		if o.Wonted == "" {
			refuse("readiness: there is no wonted to be ready")
		}
	}
}

// validateWonted looks at the way to wonted, and at what it is shown.
func (o Options) validateWonted(f *faults) {
	refuse := f.refuse
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
	if len(o.Replicas) > 0 && !o.shared() {
		refuse("replicas: name the request header by which callers are shared out (affinity), such as x-api-key: each wonted knows only the callers that it is asked about")
	}
	if o.shared() && (o.Wonted == "" || o.Depth.logged()) {
		refuse("replicas: they need a first one, wonted, and the depth headers or bodies: an access log cannot be shared out")
	}
	if o.shared() && !headerName.MatchString(o.Affinity) {
		refuse("affinity: %q is not the name of a header, in small letters", o.Affinity)
	}
	if o.Blocks && (o.Wonted == "" || o.shared()) {
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
	f.file("access log", o.AccessLog, true)
}

// validateTokens looks at the issuers of tokens.
func (o Options) validateTokens(f *faults) {
	refuse := f.refuse
	names := map[string]bool{}
	for i, j := range o.JWT {
		if j.Name == "" || names[j.Name] || !utf8.ValidString(j.Name) {
			refuse("jwt %d: each issuer needs a name of its own", i+1)
		}
		names[j.Name] = true
		if j.Issuer == "" || !utf8.ValidString(j.Issuer) {
			refuse("jwt %d: the issuer (claim iss) is missing: tokens of any issuer would pass", i+1)
		}
		if !o.managed {
			f.file(fmt.Sprintf("jwt %d jwks", i+1), j.JWKS, false)
		} else if !json.Valid([]byte(j.Keys)) {
			refuse("jwt %d jwks: the issuer's keys are not JSON", i+1)
		}
	}
}

// validatePrinted refuses what is fine under somebody's eyes, and a trap in a
// configuration that others run.
func (o Options) validatePrinted(f *faults) {
	if !o.FailOpen && o.Wonted != "" && o.Depth.inline() && o.Readiness == "" {
		f.refuse("fail closed: every request is answered 500 until wonted is ready. Say what keeps traffic away until then (readiness): " +
			"a path that Envoy answers for the load balancer before it, or \"pod\" where the pod's readiness probe asks wonted; or fail open")
	}
	if o.Depth == DepthBodies && o.BufferBytes == 0 {
		f.refuse("depth bodies: each body comes to wonted in messages as large as Envoy buffers, which depends on who configured it. " +
			"Say how much a connection may buffer: 32 KiB to 16 MiB")
	}
}

// checkPath accepts the path of a request, as Envoy matches it, whole or with
// all that is below it.
func checkPath(path string) error {
	clean, below := strings.CutSuffix(path, "/*")
	if !strings.HasPrefix(path, "/") || below && strings.HasSuffix(clean, "/") || clean == "" || !utf8.ValidString(path) || strings.ContainsAny(clean, "*?# \t\r\n") {
		return fmt.Errorf("%q is not a path; write /healthz for that one, /static/* for all below", path)
	}
	return nil
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
