package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// bundleServer serves one bundle with its ETag, and can be away.
type bundleServer struct {
	address string
	server  *http.Server
	body    atomic.Pointer[[]byte]
}

func (s *bundleServer) starts(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s}
	s.server = server
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
}

func (s *bundleServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := *s.body.Load()
	etag := fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(body)))
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Write(body)
}

// serves marks requests with the revision, and refuses none.
func (s *bundleServer) serves(t *testing.T, revision int) {
	t.Helper()
	s.servesText(t, revision, fmt.Sprintf("package wonted.policy\n\nrequest_headers contains {\"name\": \"x-version\", \"value\": \"%d\"}\n", revision))
}

func (s *bundleServer) servesText(t *testing.T, revision int, rego string) {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, f := range [][2]string{{"/.manifest", fmt.Sprintf(`{"revision": "%d"}`, revision)}, {"/policy.rego", rego}} {
		if err := w.WriteHeader(&tar.Header{Name: f[0], Mode: 0o600, Size: int64(len(f[1]))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, f[1])
	}
	w.Close()
	z.Close()
	body := out.Bytes()
	s.body.Store(&body)
}

// readyz is what an operator sees.
func readyz(t *testing.T, admin string) string {
	t.Helper()
	return textOf(t, "http://"+admin+"/readyz")
}

func textOf(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return string(must(io.ReadAll(res.Body)))
}

// Bundles change, break, go away and come back while the real Envoy passes
// traffic, and not one request fails.
func TestBundlesUnderLoad(t *testing.T) {
	dir, data, admin := shortDir(t), t.TempDir(), freePort(t)
	file, socket := filepath.Join(dir, "wonted.yaml"), "unix://"+filepath.Join(dir, "a.sock")
	s := &bundleServer{address: freePort(t)}
	s.serves(t, 1)
	s.starts(t)
	// It fails closed: every moment without an answer is a failed request.
	settings := fmt.Sprintf("mode: enforce\nfail: closed\ndecision_deadline: 10s\nadmin: %s\nlisten: %s\ndata_dir: %s\n"+
		"policy:\n  bundle: http://%s/bundle.tar.gz\n  poll: {min: 1s, max: 1s}\n", admin, socket, data, s.address)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--takeover", "--config", file}
	running := spawn(t, args...)
	running.says(t, `"message":"ready"`)
	upstream := envoytest.StartUpstream(t)
	proxy := envoytest.StartEnvoy(t, envoy.Options{Upstream: upstream.Address(), Wonted: socket, MessageTimeout: 15 * time.Second})
	// arrives: the revision that requests meet.
	arrives := func(revision int) {
		t.Helper()
		envoytest.Eventually(t, fmt.Sprintf("revision %d at the upstream", revision), func() error {
			mark := fmt.Sprintf("revision-%d-%d", revision, time.Now().UnixNano())
			req := must(http.NewRequest("GET", proxy.URL()+"/x", nil))
			req.Header.Set(envoytest.MarkHeader, mark)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			res.Body.Close()
			seen := upstream.Seen(mark)
			if len(seen) != 1 || seen[0].Get("x-version") != fmt.Sprint(revision) {
				return fmt.Errorf("what arrived is %v", seen)
			}
			return nil
		})
	}
	arrives(1)
	troubled := func(want string) {
		t.Helper()
		envoytest.Eventually(t, want, func() error {
			if text := readyz(t, admin); !regexp.MustCompile("warning: policy bundle: the policy in force stays: .*" + want).MatchString(text) {
				return fmt.Errorf("/readyz says %s", text)
			}
			return nil
		})
	}

	traffic := envoytest.StartTraffic(proxy.URL(), 500)
	for i := 2; i <= 4; i++ { // a good one
		s.serves(t, i)
		running.says(t, fmt.Sprintf(`"bundle_revision":"%d"`, i))
		arrives(i)
	}
	s.servesText(t, 5, "package wonted.policy\ndeny contains x if x == nothing\n") // one that would not compile
	troubled("/policy.rego:2:")
	arrives(4)
	s.servesText(t, 3, "package wonted.policy\ndeny contains \"all\"\n") // an older one
	troubled("revision 3 is older than 4")
	arrives(4)
	s.server.Close() // nobody
	troubled("connection refused")
	traffic.GoesOn(t, 100)
	// The process is replaced meanwhile: the successor begins with what is kept.
	next := spawn(t, args...)
	next.says(t, `"message":"ready"`)
	if err := running.ends(t); err != nil {
		t.Errorf("the old one ended with %v", err)
	}
	arrives(4)
	s.serves(t, 6)
	s.starts(t)
	next.says(t, `"bundle_revision":"6"`)
	arrives(6)
	if text := readyz(t, admin); strings.Contains(text, "policy bundle") {
		t.Errorf("what is mended is told: %s", text)
	}
	if text := textOf(t, "http://"+admin+"/metrics"); !regexp.MustCompile(`wonted_policy_followed_timestamp_seconds [1-9]`).MatchString(text) {
		t.Error("the metrics do not say when the server was last heard")
	}
	traffic.GoesOn(t, 100)
	traffic.End(t, "4 changes of the bundle, 2 bad ones, a server away and a take-over meanwhile")
}

// Where neither the server nor data_dir has a policy, wonted does not serve.
func TestNoBundleAtTheStart(t *testing.T) {
	dir := shortDir(t)
	file := filepath.Join(dir, "wonted.yaml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf("listen: unix://%s/a.sock\nadmin: \"\"\npolicy:\n  bundle: http://%s/b.tar.gz\n  poll: {timeout: 1s}\n",
		dir, freePort(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	c := spawn(t, "serve", "--config", file)
	if err := c.ends(t); err == nil {
		t.Error("it serves")
	}
	c.says(t, "connection refused")
	c.says(t, "hint: policy.bundle (--policy) is the URL of an OPA bundle")
}
