package rego

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
)

const throttleAll = "package wonted.policy\nthrottle contains \"all\"\n"

// pack writes a bundle by OPA's own writer: .rego, data.json and patch.json by
// their paths, and signs it where a key is given.
func pack(t testing.TB, revision string, files map[string]string, sign ...*bundle.SigningConfig) []byte {
	t.Helper()
	b := bundle.Bundle{Manifest: bundle.Manifest{Revision: revision}, Data: map[string]any{}}
	b.Manifest.Init()
	for path, text := range files {
		if !strings.HasSuffix(path, ".rego") {
			b.Raw = append(b.Raw, bundle.Raw{Path: path, Value: []byte(text)})
			continue
		}
		m, err := ast.ParseModule(path, text)
		if err != nil {
			t.Fatal(err)
		}
		b.Modules = append(b.Modules, bundle.ModuleFile{Path: path, URL: path, Raw: []byte(text), Parsed: m})
	}
	data, err := dataOf(&bundle.Bundle{Raw: b.Raw})
	if err != nil {
		t.Fatal(err)
	}
	b.Data, b.Raw = data, nil
	for _, s := range sign {
		if err := b.GenerateSignature(s, "", false); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).Write(b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(text string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	io.WriteString(z, text)
	z.Close()
	return out.Bytes()
}

// bundleServer is a real one, on loopback: with ETags, and long polling for whom
// it is asked of. What it answers can be replaced.
type bundleServer struct {
	*http.Server
	address string

	mu       sync.Mutex
	body     []byte
	answer   http.HandlerFunc // in place of the body; nil: the body
	news     chan struct{}    // closed when the body changes
	statuses []int
	asked    []http.Header
}

func serveBundle(t *testing.T, body []byte) *bundleServer {
	t.Helper()
	s := &bundleServer{body: body, news: make(chan struct{})}
	s.start(t, "127.0.0.1:0")
	return s
}

func (s *bundleServer) start(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	server := &http.Server{Handler: s}
	s.Server = server
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
}

func (s *bundleServer) url() string {
	return "http://" + s.address + "/bundles/policy.tar.gz?channel=live"
}

// serves replaces what is answered.
func (s *bundleServer) serves(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.answer = body, nil
	close(s.news)
	s.news = make(chan struct{})
}

func (s *bundleServer) answers(f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func (s *bundleServer) now() (body []byte, answer http.HandlerFunc, news chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body, s.answer, s.news
}

func (s *bundleServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, answer, news := s.now()
	if answer == nil && strings.Contains(r.Header.Get("Prefer"), "wait=") {
		w.Header().Set("Content-Type", "application/vnd.openpolicyagent.bundles")
		if r.Header.Get("If-None-Match") == etagOf(body) {
			select {
			case <-news:
				body, answer, _ = s.now()
			case <-time.After(time.Second): // the longest that is asked for here
			case <-r.Context().Done():
			}
		}
	}
	status := http.StatusOK
	switch {
	case r.URL.RawQuery != "channel=live":
		status = http.StatusBadRequest
	case answer != nil:
		status = 0
	case r.Header.Get("If-None-Match") == etagOf(body):
		status = http.StatusNotModified
	}
	s.mu.Lock()
	s.statuses = append(s.statuses, status)
	s.asked = append(s.asked, r.Header.Clone())
	s.mu.Unlock()
	if status == 0 {
		answer(w, r)
		return
	}
	w.Header().Set("ETag", etagOf(body))
	w.WriteHeader(status)
	if status == http.StatusOK {
		w.Write(body)
	}
}

// last is the status and the request's headers of the latest exchange.
func (s *bundleServer) last() (int, http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statuses[len(s.statuses)-1], s.asked[len(s.asked)-1]
}

// sourceOf is how a test follows a server: patiently with requests, not long with
// what hangs.
func sourceOf(url string) BundleSource {
	return BundleSource{Server: Server{URL: url, Timeout: 20 * time.Second}, Min: time.Second, Max: time.Second, MaxBytes: 4 << 20, Log: zerolog.Nop()}
}

// opened is a bundle that is fetched when the test says so.
func opened(t *testing.T, src BundleSource) *Bundle {
	t.Helper()
	b, err := tryOpen(t, src)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tryOpen(t *testing.T, src BundleSource) (*Bundle, error) {
	t.Helper()
	b, err := openBundle(t.Context(), src, func(work func()) { work() }, "manual")
	if err == nil {
		t.Cleanup(func() { b.manager.Stop(context.Background()) })
	}
	return b, err
}

func (b *Bundle) action(t *testing.T) policy.Action {
	t.Helper()
	return decide(t, b.Engine(), at(sample(), policy.PhaseRequest)).Action
}
