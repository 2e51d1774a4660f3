package rego

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
)

type fileMap = map[string]string

func TestBundle(t *testing.T) {
	s := serveBundle(t, pack(t, "v1", fileMap{"/policy.rego": denyAll, "/policy_test.rego": "package wonted.policy_test\nx := 1\n"}))
	b := opened(t, sourceOf(s.url()))
	if got := b.action(t); got != policy.Deny {
		t.Errorf("v1: %v", got)
	}
	one := b.Engine()
	if one.BundleRevision() != "v1" || len(one.Revision()) != 12 {
		t.Errorf("revisions %q %q", one.BundleRevision(), one.Revision())
	}
	if err := b.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.last(); status != http.StatusNotModified || b.Engine() != one {
		t.Errorf("what has not changed is fetched again: %d", status)
	}
	s.serves(pack(t, "v2", fileMap{"/policy.rego": "package wonted.policy\nthrottle contains \"t\" if data.lists.on\n", "/lists/data.json": `{"on": true}`}))
	if err := b.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.action(t); got != policy.Throttle || b.Engine().BundleRevision() != "v2" {
		t.Errorf("v2: %v, revision %s", got, b.Engine().BundleRevision())
	}
	s.serves(pack(t, "v1", fileMap{"/policy.rego": denyAll})) // names have no order: a rollback
	if err := b.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.action(t); got != policy.Deny {
		t.Errorf("rolled back: %v", got)
	}
}

// Whatever comes, the good policy stays in force and on disk, the reason is
// told, and the next good one is taken.
func TestABadBundleNeverReplacesAGoodOne(t *testing.T) {
	good := pack(t, "41", fileMap{"/policy.rego": denyAll})
	s := serveBundle(t, good)
	src := sourceOf(s.url())
	src.Dir = t.TempDir()
	b := opened(t, src)
	kept := filepath.Join(src.Dir, "bundles", "policy", "bundle.tar.gz")

	n := 0
	still := func(what, want string) {
		t.Helper()
		n++
		err := b.fetch(t.Context())
		if b.failure == nil || !strings.Contains(b.failure.Error(), want) || !strings.Contains(b.failure.Error(), s.url()) {
			t.Errorf("%s: failure %v, want %q in it", what, b.failure, want)
		}
		if err == nil {
			t.Errorf("%s: no error", what)
		}
		if got := b.action(t); got != policy.Deny {
			t.Fatalf("%s is in force: %v", what, got)
		}
		if now, err := os.ReadFile(kept); err != nil || !bytes.Equal(now, good) {
			t.Fatalf("%s is kept (%v)", what, err)
		}
	}
	f := func(body []byte, want string) {
		t.Helper()
		s.serves(body)
		still(want, want)
	}
	f(pack(t, "42", fileMap{"/policy.rego": "package wonted.policy\ndeny contains x if x == nothing"}), "policy.rego:2:")
	f(pack(t, "42", fileMap{"/policy.rego": "package wonted.policy\ndeny contains x if x := http.send({})"}), "http.send is not allowed in a policy")
	f(pack(t, "42", fileMap{"/policy.rego": "package wonted.policy\ndeny contains x if x := frobnicate(1)"}), "frobnicate")
	f(pack(t, "42", fileMap{"/policy.rego": "package wonted.policy\ndeny := true"}), "deny must be a set")
	f(pack(t, "42", fileMap{"/policy.rego": "package other\nx := 1"}), "no rules in package wonted.policy")
	f(pack(t, "42", fileMap{"/data.json": "{}"}), "no .rego file in it")
	f(pack(t, "42", fileMap{"/policy.rego": denyAll, "/wonted/policy/data.json": `{"deny": 1}`}), "conflicting")
	f(pack(t, "40", fileMap{"/policy.rego": throttleAll}), "revision 40 is older than 41")
	f([]byte("<html>sign in</html>"), "gzip")
	f(gzipped("no tar"), "unexpected EOF")
	f(good[:len(good)/2], "EOF")
	f(gzipped(strings.Repeat("\x00", 8<<20)), "unpacks to more than 4194304 bytes")
	f(bytes.Repeat([]byte{'x'}, 8<<20), "unpacks to more than 4194304 bytes")
	f(tarball(t, fileMap{"/policy.rego": "package wonted.policy\ndeny {"}), "policy.rego:2:")
	f(tarball(t, fileMap{"/policy.rego": throttleAll, "/data.json": `{"a": `}), "data files")
	f(tarball(t, fileMap{"/policy.rego": throttleAll, "/data.json": `[1]`}), "data")
	f(tarball(t, fileMap{"/policy.rego": throttleAll, "/.manifest": `{"revision": 7}`}), "manifest")
	f(tarball(t, fileMap{"/patch.json": `{"data": [{"op": "upsert", "path": "/a", "value": 1}]}`}), "delta")

	for _, status := range []int{500, 404, 401, 204, 418} {
		s.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		still(http.StatusText(status), http.StatusText(status))
	}
	s.answers(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, s.url(), http.StatusFound) })
	still("a redirect to itself", "10 redirects")
	s.answers(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	still("no answer", "EOF")
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write(good[:100])
	})
	still("half an answer", "breaks off after 100 bytes")
	s.Close()
	still("nobody", "connect")
	s.start(t, s.address)

	s.serves(pack(t, "42", fileMap{"/policy.rego": throttleAll}))
	if err := b.fetch(t.Context()); err != nil || b.failure != nil {
		t.Fatal(err, b.failure)
	}
	if got := b.action(t); got != policy.Throttle {
		t.Errorf("the next good one is not in force: %v", got)
	}
	t.Logf("%d bad ones", n)
}

// A server that takes a request and says nothing, or stops halfway, is left
// after the timeout.
func TestAServerThatHangsIsLeft(t *testing.T) {
	for name, hang := range map[string]func(http.ResponseWriter){
		"before the answer": func(http.ResponseWriter) {},
		"in its middle": func(w http.ResponseWriter) {
			w.Write([]byte{0x1f, 0x8b})
			w.(http.Flusher).Flush()
		},
	} {
		s := serveBundle(t, pack(t, "", fileMap{"/policy.rego": denyAll}))
		src := sourceOf(s.url())
		src.Timeout = 100 * time.Millisecond
		for {
			b, err := tryOpen(t, src)
			if err != nil && strings.Contains(err.Error(), "Timeout") {
				src.Timeout *= 2 // a busy machine
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			s.answers(func(w http.ResponseWriter, r *http.Request) {
				hang(w)
				<-r.Context().Done()
			})
			if err := b.fetch(t.Context()); err == nil || !strings.Contains(b.failure.Error(), "exceeded") {
				t.Errorf("%s: %v", name, b.failure)
			}
			if got := b.action(t); got != policy.Deny {
				t.Errorf("%s: %v", name, got)
			}
			break
		}
	}
}

// The token goes to the server that it is for, and nowhere else.
func TestRedirects(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := serveBundle(t, pack(t, "far", fileMap{"/policy.rego": denyAll}))
	s := serveBundle(t, pack(t, "near", fileMap{"/policy.rego": denyAll}))
	src := sourceOf(s.url())
	src.Token = token
	b := opened(t, src)
	if _, h := s.last(); h.Get("Authorization") != "Bearer s3cret" {
		t.Errorf("the server is asked with %q", h.Get("Authorization"))
	}
	s.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/here" {
			_, h := s.last()
			if h.Get("Authorization") == "" {
				t.Error("a redirect within the server loses the token")
			}
			http.Redirect(w, r, store.url(), http.StatusTemporaryRedirect)
			return
		}
		http.Redirect(w, r, "/here?channel=live", http.StatusFound)
	})
	if err := b.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.Engine().BundleRevision() != "far" {
		t.Errorf("the redirect is not followed: %s", b.Engine().BundleRevision())
	}
	if _, h := store.last(); h.Get("Authorization") != "" {
		t.Errorf("another server is told the token: %q", h.Get("Authorization"))
	}
	if err := os.Remove(token); err != nil {
		t.Fatal(err)
	}
	if err := b.fetch(t.Context()); err == nil || !strings.Contains(b.failure.Error(), "token") {
		t.Errorf("without the token's file: %v", b.failure)
	}
}

func TestBundleOverTLS(t *testing.T) {
	body := pack(t, "tls", fileMap{"/policy.rego": denyAll})
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
	defer plain.Close()
	leave := false
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if leave {
			http.Redirect(w, r, plain.URL, http.StatusFound)
			return
		}
		w.Write(body)
	}))
	defer s.Close()
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	src := sourceOf(s.URL + "/b.tar.gz")
	if _, err := tryOpen(t, src); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	src.CA = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(src.CA, pemOf(s.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	b := opened(t, src)
	leave = true
	if err := b.fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("a redirect out of TLS: %v", err)
	}
}

// The last good one is used while the server is away, for as long as it takes.
func TestKeptBundle(t *testing.T) {
	s := serveBundle(t, pack(t, "7", fileMap{"/policy.rego": denyAll, "/a/data.json": `{"b": 1}`}))
	src := sourceOf(s.url())
	src.Dir = t.TempDir()
	first := opened(t, src).Engine().Revision()
	s.Close()
	again := opened(t, src)
	if got := again.action(t); got != policy.Deny || again.Engine().Revision() != first {
		t.Errorf("kept: %v, revision %s, was %s", got, again.Engine().Revision(), first)
	}
	if err := again.fetch(t.Context()); err == nil {
		t.Error("who is not there has answered")
	}
	if strings.Contains(again.failure.Error(), "could not be kept") {
		t.Error(again.failure)
	}
	s.start(t, s.address)
	s.serves(pack(t, "6", fileMap{"/policy.rego": throttleAll}))
	if err := again.fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "older than 7") {
		t.Errorf("an older one after a restart: %v", err)
	}
	src.Dir = ""
	s.Close()
	if _, err := tryOpen(t, src); err == nil || !strings.Contains(err.Error(), s.url()) {
		t.Errorf("neither a server nor a kept one: %v", err)
	}
}

// A kept file that cannot be used is passed over, and replaced by the server's.
func TestAKeptBundleThatIsBroken(t *testing.T) {
	s := serveBundle(t, pack(t, "7", fileMap{"/policy.rego": denyAll}))
	src := sourceOf(s.url())
	src.Dir = t.TempDir()
	kept := filepath.Join(src.Dir, "bundles", "policy", "bundle.tar.gz")
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{nil, []byte("x"), pack(t, "9", fileMap{"/policy.rego": "package wonted.policy\ndeny := 1"})} {
		if err := os.WriteFile(kept, body, 0o600); err != nil {
			t.Fatal(err)
		}
		b := opened(t, src)
		if got := b.action(t); got != policy.Deny {
			t.Errorf("%v", got)
		}
		if now, _ := os.ReadFile(kept); !bytes.Equal(now, s.body) {
			t.Error("it is not replaced on disk")
		}
	}
}

// Where a bundle cannot be kept it is in force all the same, and that is told.
func TestABundleThatCannotBeKept(t *testing.T) {
	s := serveBundle(t, pack(t, "7", fileMap{"/policy.rego": denyAll}))
	src := sourceOf(s.url())
	src.Dir = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(src.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := opened(t, src)
	if b.failure == nil || !strings.Contains(b.failure.Error(), "in force and could not be kept") {
		t.Errorf("failure %v", b.failure)
	}
	first := b.Engine()
	if err := b.fetch(t.Context()); err == nil || b.Engine() != first {
		t.Errorf("it is made again, or the trouble forgotten: %v", err)
	}
}

// By its own polling, through a restart of the server.
func TestBundleIsPolled(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Second} {
		s := serveBundle(t, pack(t, "1", fileMap{"/policy.rego": denyAll}))
		src := sourceOf(s.url())
		src.Wait = wait
		opening, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		b, err := OpenBundle(opening, src, func(work func()) { work() })
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		calls, done := make(chan watched, 1000), make(chan struct{})
		go func() {
			defer close(done)
			b.Watch(ctx, func(e *Engine, err error) { calls <- watched{e, err} })
		}()
		until := func(what string, wanted func(watched) bool) {
			t.Helper()
			for {
				select {
				case c := <-calls:
					if wanted(c) {
						return
					}
				case <-time.After(30 * time.Second):
					t.Fatalf("%s: nothing was noticed", what)
				}
			}
		}
		is := func(revision string) func(watched) bool {
			return func(w watched) bool { return w.err == nil && w.e.BundleRevision() == revision }
		}
		until("start", is("1"))
		s.serves(pack(t, "2", fileMap{"/policy.rego": throttleAll}))
		until("news", is("2"))
		s.Close()
		until("away", func(w watched) bool { return w.err != nil })
		s.start(t, s.address)
		until("back", is("2"))
		s.serves(pack(t, "3", fileMap{"/policy.rego": denyAll}))
		until("news after the restart", is("3"))
		stop()
		<-done
	}
}

// A bundle's file is read where a directory is, whoever signed it.
func TestBundleFile(t *testing.T) {
	key, _ := keyPair(t, t.TempDir(), "key")
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	put := func(body []byte) {
		t.Helper()
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(pack(t, "v1", fileMap{"/policy.rego": "package wonted.policy\ndeny contains \"x\" if data.lists.on\n", "/lists/data.json": `{"on": true}`,
		"/policy_test.rego": "package wonted.policy_test\n\ntest_it if true\n"}, key))
	e, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := decide(t, e, at(sample(), policy.PhaseRequest)).Action; got != policy.Deny || e.BundleRevision() != "v1" {
		t.Errorf("%v, revision %q", got, e.BundleRevision())
	}
	r, err := Check(file)
	if err != nil || r.Mistakes() > 0 || r.Revision != e.Revision() || len(r.Files) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	put(pack(t, "v1", fileMap{"/policy.rego": "package wonted.policy\ndeny contains \"x\" if input.identiy.mature\n"}))
	if r, err = Check(file); err != nil || r.Mistakes() != 1 || r.Problems[0].Place() != "/policy.rego:2:22" {
		t.Errorf("%+v, %v", r, err)
	}
	put([]byte("<html>no bundle</html>"))
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("no bundle at all: %v", err)
	}
}

// A data document of 10 MB is taken within policy.max_bytes, and a policy over
// it decides.
func TestALargeDataDocument(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(`{"callers": {"nobody": 1`)
	for i := 0; doc.Len() < 10<<20; i++ {
		fmt.Fprintf(&doc, `,"caller-%08d": {"tier": "gold", "limit": %d}`, i, i)
	}
	doc.WriteString(`}}`)
	s := serveBundle(t, pack(t, "1", fileMap{"/policy.rego": denyAll}))
	src := sourceOf(s.url())
	b := opened(t, src)
	large := pack(t, "2", fileMap{"/policy.rego": "package wonted.policy\nthrottle contains \"t\" if data.callers[\"caller-00000007\"].limit == 7\n", "/data.json": doc.String()})
	s.serves(large)
	if err := b.fetch(t.Context()); err == nil || !strings.Contains(b.failure.Error(), "unpacks to more") {
		t.Errorf("beyond the limit: %v", b.failure)
	}
	src.MaxBytes = 64 << 20
	b = opened(t, src)
	if got := b.action(t); got != policy.Throttle {
		t.Errorf("%v", got)
	}
}
