package admin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Guard asks who is there. One without credentials lets everybody in, as
// "local".
type Guard struct {
	held   atomic.Pointer[Credentials]
	wrong  failures
	clock  func() time.Time
	failed func(from string) // hears of wrong credentials
}

// NewGuard asks for these credentials. failed, which may be nil, hears from
// where wrong ones came.
func NewGuard(c *Credentials, clock func() time.Time, failed func(from string)) *Guard {
	g := &Guard{clock: clock, failed: failed}
	g.held.Store(c)
	return g
}

// Change takes other credentials from now on, for connections that are open as
// well. Whether there is TLS at all stays as it was.
func (g *Guard) Change(c *Credentials) { g.held.Store(c) }

// TLS is what to serve with; nil: plain HTTP.
func (g *Guard) TLS() *tls.Config {
	if g.held.Load().tls == nil {
		return nil
	}
	c := g.held.Load().tls.Clone()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return g.held.Load().tls, nil }
	return c
}

// caller is who asks.
type caller struct {
	name string // of a token or a certificate; "local" where nobody is asked
	role Role
}

// local is nobody in particular.
const local = "local"

type callerKey struct{}

func callerOf(r *http.Request) caller {
	c, _ := r.Context().Value(callerKey{}).(caller)
	return c
}

// admit lets through who may do what needs a role; anybody else it has answered,
// telling no more than that.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request, need Role) (*http.Request, bool) {
	c, status := g.who(r)
	if status == 0 && c.role < need {
		status = http.StatusForbidden
	}
	switch status {
	case 0:
		return r.WithContext(context.WithValue(r.Context(), callerKey{}, c)), true
	case http.StatusForbidden:
		Refuse(w, status, "that is not for this role", "ask with a token or certificate of the role "+need.String())
	case http.StatusTooManyRequests:
		w.Header().Set("retry-after", "1")
		Refuse(w, status, "too many wrong credentials", "try again later")
	default:
		w.Header().Set("www-authenticate", `Bearer realm="wonted"`)
		Refuse(w, http.StatusUnauthorized, "who is asking?", "send Authorization: Bearer TOKEN, or show a client certificate; the commands of wonted take --admin-token-file")
	}
	return nil, false
}

// who is it? status is 0, or says why nobody knows.
func (g *Guard) who(r *http.Request) (c caller, status int) {
	held := g.held.Load()
	if !held.asks {
		return caller{local, Write}, 0
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		if g.wrong.full(from, g.clock()) {
			return c, http.StatusTooManyRequests
		}
		name, role, ok := held.bearer(strings.TrimSpace(token))
		if ok {
			return caller{name, role}, 0
		}
		g.wrong.note(from, g.clock())
		if g.failed != nil {
			g.failed(from)
		}
		return c, http.StatusUnauthorized
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		name, role, ok := held.certificate(r.TLS.PeerCertificates[0])
		if !ok {
			return c, http.StatusForbidden
		}
		return caller{name, role}, 0
	}
	return c, http.StatusUnauthorized
}

// failures bound how often an address may be wrong: ten times, then once a
// second. Tokens are too long to be guessed; this keeps log and processor quiet.
type failures struct {
	mu sync.Mutex
	of map[string]*rate.Limiter
}

const (
	wrongBurst     = 10
	wrongAddresses = 1024 // that are remembered; then all are forgotten
)

func (f *failures) full(from string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.of[from]
	return l != nil && l.TokensAt(now) < 1
}

func (f *failures) note(from string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil || len(f.of) >= wrongAddresses && f.of[from] == nil {
		f.of = map[string]*rate.Limiter{}
	}
	if f.of[from] == nil {
		f.of[from] = rate.NewLimiter(rate.Every(time.Second), wrongBurst)
	}
	f.of[from].AllowN(now, 1)
}

// Asker is who asks, as far as it is known: the name of a token or a certificate,
// and the user of the operating system, as the command says.
func Asker(r *http.Request) string {
	who, user := callerOf(r).name, noted(r.Header.Get(UserHeader))
	switch {
	case who == local:
		return user
	case user == "":
		return who
	}
	return who + " (" + user + ")"
}
