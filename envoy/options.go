package envoy

import (
	"regexp"
	"time"
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
	// a share of the callers: by the request header Affinity, which names a caller
	// (such as x-api-key), and by address where a request has none. Affinity
	// alone is for a Wonted whose name has many addresses. The depth must be
	// headers or bodies; replicas.go says why.
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

	// Readiness is what keeps traffic away while wonted is not ready: a path that
	// Envoy answers itself, with 200 while wonted is well and 503 otherwise, for
	// whoever balances load in front of it; or ReadinessPod, the readiness probe
	// of the pod. A printed configuration that fails closed needs one of them.
	Readiness string

	// Skip are paths about which wonted is neither asked nor told: /healthz that
	// one, /static/* all below.
	Skip []string

	TLS *TLS  // nil: plain text, and then no JA4 unless it is asked for
	JA4 bool  // fingerprint the clients' hello also where TLS is somebody else's to configure
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

	// managed is an Envoy that gets its clusters from a control plane.
	managed bool
}

// shared says whether several wonted share the callers out.
func (o Options) shared() bool { return o.Affinity != "" }

// fingerprinted says whether Envoy knows the client's TLS hello.
func (o Options) fingerprinted() bool { return o.TLS != nil || o.JA4 }

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

	// Keys are what JWKS holds. Istio and Envoy Gateway carry them instead of
	// naming a file.
	Keys string
}

// ReadinessPod says that the pod's own readiness probe asks wonted.
const ReadinessPod = "pod"

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
	return o
}
