package envoy_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// door is an upstream that answers with the hash of the body it was sent.
func door(w http.ResponseWriter, r *http.Request) {
	hash := sha256.New()
	_, err := io.Copy(hash, r.Body)
	w.Header().Set("x-length", r.Header.Get("content-length"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	io.WriteString(w, hex.EncodeToString(hash.Sum(nil)))
}

// post sends a body, chunked where its length is not to be known.
func (s *scene) post(c client, path, contentType string, body []byte, chunked bool) answer {
	s.Helper()
	var r io.Reader = bytes.NewReader(body)
	if chunked {
		r = io.MultiReader(r) // hides the length
	}
	request, err := http.NewRequest(http.MethodPost, s.envoy.URL()+path, r)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("content-type", contentType)
	response, err := c.Do(request)
	if err != nil {
		s.Fatalf("POST %s: %v", path, err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return answer{response, got, err}
}

// The bodies of sign-ins come to wonted and reach the upstream unchanged, be
// they short, long, chunked or none; those of other requests do not come.
func TestBodiesOfSignInsAreSeen(t *testing.T) {
	for _, depth := range []envoy.Depth{envoy.DepthHeaders, envoy.DepthAdaptive} {
		s := set(t, envoytest.Settings{Depth: string(depth), Policy: permissive},
			func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, http.HandlerFunc(door)) })
		f := func(name, path, contentType string, body []byte, result string) {
			t.Helper()
			for speaks, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
				for _, chunked := range []bool{false, true} {
					if len(body) == 0 && chunked {
						continue
					}
					name := string(depth) + " " + speaks + " " + name
					bodies := s.metric("wonted_stream_messages_total", `kind="request_body"`)
					seen := 0.0
					if result != "" {
						seen = s.metric("wonted_sign_in_requests_total", `result="`+result+`"`)
					}
					got := s.post(c, path, contentType, body, chunked)
					sum := sha256.Sum256(body)
					if got.err != nil || got.StatusCode != http.StatusOK || string(got.body) != hex.EncodeToString(sum[:]) {
						t.Errorf("%s (chunked %v): the upstream has got another body: %d %.100q %v", name, chunked, got.StatusCode, got.body, got.err)
					}
					if !chunked && len(body) > 0 && got.Header.Get("x-length") == "" {
						t.Errorf("%s: the upstream was not told the length", name)
					}
					came := s.metric("wonted_stream_messages_total", `kind="request_body"`) - bodies
					if result == "" {
						if came != 0 {
							t.Errorf("%s: %v bodies came", name, came)
						}
						continue
					}
					if came == 0 || len(body) < 1000 && came > 2 {
						t.Errorf("%s (chunked %v): %v messages with a body", name, chunked, came)
					}
					if n := s.metric("wonted_sign_in_requests_total", `result="`+result+`"`) - seen; n != 1 {
						t.Errorf("%s (chunked %v): %v of them %s", name, chunked, n, result)
					}
				}
			}
		}
		login := []byte(`{"username":"bob","password":"secret"}`)
		long := func(n int) []byte {
			return append([]byte(`{"username":"bob","password":"secret","pad":"`), append(bytes.Repeat([]byte("x"), n), `"}`...)...)
		}
		f("JSON", "/v1/login", "application/json", login, "named")
		f("a form", "/v1/login", "application/x-www-form-urlencoded", []byte("username=bob&password=secret"), "named")
		f("1 MiB", "/v1/login", "application/json", long(1<<20), "named")
		f("5 MiB", "/v1/login", "application/json", long(5<<20), "named")
		f("another grant", "/oauth/token", "application/x-www-form-urlencoded", []byte("grant_type=refresh_token&refresh_token=x"), "none")
		f("no body", "/v1/login", "application/json", nil, "")
		f("multipart", "/v1/signin", "multipart/form-data; boundary=b", []byte("--b--"), "")
		f("not a sign-in", "/v1/orders", "application/json", login, "")
		s.idle()
		s.undisturbed()
	}
}

// A sign-in that the policy refuses never reaches the upstream whole.
func TestASignInIsRefusedBeforeTheUpstream(t *testing.T) {
	var whole atomic.Int64
	s := set(t, envoytest.Settings{Depth: "headers", Policy: rego(
		`deny contains "nobody signs in" if input.identity.kind == "user"`,
	), More: "identity: [{kind: caller, header: x-api-key}]\n"},
		func(o *envoy.Options) {
			o.Upstream = envoytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err == nil && strings.HasPrefix(r.URL.Path, "/v1/login") {
					whole.Add(1)
				}
			}))
		})
	for _, c := range []client{http1(t), http2(t)} {
		for _, chunked := range []bool{false, true} {
			got := s.post(c, "/v1/login", "application/json", []byte(`{"username":"bob","password":"secret"}`), chunked)
			if got.StatusCode != http.StatusForbidden || whole.Load() != 0 {
				t.Errorf("chunked %v: answered %d, and %d requests have reached the upstream", chunked, got.StatusCode, whole.Load())
			}
		}
	}
	if got := s.send(http2(t), "/v1/login", "trailers", `{"username":"bob","password":"secret"}`); got.StatusCode != http.StatusForbidden || whole.Load() != 0 {
		t.Errorf("ended by trailers: answered %d, and %d requests have reached the upstream", got.StatusCode, whole.Load())
	}
	s.ended("refused", 5)
	s.wants(s.post(http1(t), "/v1/orders", "application/json", []byte(`{}`), false), http.StatusOK)
}

// A route is found that is called by no word, once it refuses; and none at the
// depth that shows no bodies.
func TestSignInRoutesAreFoundByWhatTheyAnswer(t *testing.T) {
	for depth, want := range map[envoy.Depth]bool{envoy.DepthHeaders: true, envoy.DepthAdaptive: true, envoy.DepthLean: false} {
		s := set(t, envoytest.Settings{Depth: string(depth), Policy: permissive},
			func(o *envoy.Options) {
				o.Upstream = envoytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("wrong")) {
						w.WriteHeader(http.StatusUnauthorized)
					}
				}))
			})
		c := http1(t)
		for i := range 60 {
			secret := "right"
			if i%3 == 0 {
				secret = "wrong"
			}
			s.post(c, "/v1/enter", "application/json", []byte(`{"email":"bob@example.com","password":"`+secret+`"}`), false)
		}
		s.idle()
		if named := s.metric("wonted_sign_in_requests_total", `result="named"`); named > 0 != want {
			t.Errorf("%s: %v sign-ins were seen", depth, named)
		}
	}
}

// A stolen list is tried: by the default policy it is stopped after a few names,
// and whoever signs in from there as ever is not.
func TestAStolenListIsStopped(t *testing.T) {
	s := set(t, envoytest.Settings{Depth: "adaptive"}, func(o *envoy.Options) {
		o.Upstream = envoytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); !bytes.Contains(body, []byte("right")) {
				w.WriteHeader(http.StatusUnauthorized)
				io.WriteString(w, "the upstream's")
			}
		}))
	})
	c := http1(t)
	try := func(name, password string) answer {
		return s.post(c, "/v1/login", "application/json", fmt.Appendf(nil, `{"email":%q,"password":%q}`, name, password), false)
	}
	s.wants(try("bob@example.com", "right"), http.StatusOK)
	stopped := 0
	for i := range 60 {
		got := try(fmt.Sprintf("leaked-%d@example.com", i), "wrong")
		if got.StatusCode != http.StatusUnauthorized {
			t.Fatalf("name %d: answered %d", i, got.StatusCode)
		}
		if string(got.body) != "the upstream's" {
			stopped++
		} else if stopped > 0 {
			t.Errorf("name %d: goes on after it was stopped", i)
		}
	}
	t.Logf("%d of 60 names reached the upstream", 60-stopped)
	if stopped < 30 {
		t.Errorf("%d of 60 names were stopped", stopped)
	}
	s.wants(try("Bob@example.com", "right"), http.StatusOK)
	s.idle()
	found := false
	for _, line := range s.wonted.Log() {
		text := fmt.Sprint(line)
		found = found || strings.Contains(text, "stuffing")
		if strings.Contains(text, "example.com") || strings.Contains(text, "wrong") {
			t.Errorf("the log names a user or a password: %s", text)
		}
	}
	if !found {
		t.Error("the log does not tell of stuffing")
	}
}
