package envoy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about exchanges that one side breaks off, at
// every point at which it can: each is judged once, is closed, and leaves in
// the caller's profile what it is worth.

// breaking is an upstream that breaks off where the path says. It says when it
// has got there, and goes on when it is told to.
type breaking struct{ there, on chan struct{} }

func (b breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	flush := func() { _ = http.NewResponseController(w).Flush() }
	reach := func() { b.there <- struct{}{}; <-b.on }
	switch r.URL.Path {
	case "/before": // the request's headers were all it saw
		reach()
	case "/upload": // in the middle of the request's body
		_, _ = io.ReadFull(r.Body, make([]byte, 100))
		reach()
	case "/headers": // after those of the response
		flush()
		reach()
	case "/body": // in the middle of the response's
		w.Header().Set("content-length", "200")
		io.WriteString(w, strings.Repeat("x", 100))
		flush()
		reach()
	case "/end": // the whole body was sent, the end of it was not
		io.WriteString(w, strings.Repeat("x", 100))
		flush()
		reach()
	case "/upload-and-answer": // reads on, and answers if it gets everything
		_, _ = io.ReadFull(r.Body, make([]byte, 100))
		reach()
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			return
		}
	}
	// The end of the connection over HTTP/1.1 (net/http would first wait for
	// the rest of the body), a reset over HTTP/2.
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		conn.Close()
		return
	}
	panic(http.ErrAbortHandler)
}

// upload sends half of what it declares, more than anybody on the way would
// hold back to send it in one piece, and no more until ctx is done.
func upload(t testing.TB, ctx context.Context, url, key string) *http.Request {
	t.Helper()
	const half = 64 << 10
	body, rest := io.Pipe()
	context.AfterFunc(ctx, func() { rest.CloseWithError(ctx.Err()) })
	go io.WriteString(rest, strings.Repeat("x", half))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 2 * half
	request.Header.Set("x-api-key", key)
	return request
}

func download(t testing.TB, ctx context.Context, url, key string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("x-api-key", key)
	return request
}

// hurried makes Envoy close broken HTTP/1.1 connections at once, where it would
// give the client a second to do so.
func hurried(t testing.TB) func(*bootstrapv3.Bootstrap) {
	t.Helper()
	return func(b *bootstrapv3.Bootstrap) {
		editManager(t, b, func(m *hcmv3.HttpConnectionManager) { m.DelayedCloseTimeout = durationpb.New(10 * time.Millisecond) })
	}
}

// holdsHeaders says whether this Envoy keeps the headers of a response that wonted
// looks at until the first of its body has come, as 1.39 does.
func holdsHeaders(t testing.TB, depth envoy.Depth) bool {
	t.Helper()
	return envoytest.Minor(t) == 39 && depth != envoy.DepthLean && depth != envoy.DepthLog
}

// shown is how many messages of Envoy's wonted has had.
func (s *scene) shown() float64 { return s.metric("wonted_stream_messages_total") }

// isShown waits until it has had so many.
func (s *scene) isShown(messages float64) {
	envoytest.Eventually(s, "wonted is shown the response", func() error {
		if n := s.shown(); n < messages {
			return fmt.Errorf("%v messages, not %v", n, messages)
		}
		return nil
	})
}

func TestAnUpstreamThatBreaksOffAnywhereIsJudgedOnce(t *testing.T) {
	b := breaking{make(chan struct{}), make(chan struct{})}
	address := envoytest.Serve(t, b)
	for _, depth := range []envoy.Depth{envoy.DepthHeaders, envoy.DepthAdaptive, envoy.DepthLean, envoy.DepthLog} {
		over2, held := depth != envoy.DepthHeaders, holdsHeaders(t, depth)
		s := setEdited(t, hurried(t), envoytest.Settings{Depth: string(depth), Fail: "closed", Policy: permissive}, func(o *envoy.Options) {
			o.Upstream, o.UpstreamHTTP2 = address, over2
		})
		for protocol, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
			f := func(path string, ask func(testing.TB, context.Context, string, string) *http.Request, status int, whole bool, want left, end string) {
				t.Helper()
				name := fmt.Sprintf("%s, %s to Envoy, upstream HTTP/2: %v, %s", depth, protocol, over2, path)
				s.judged(name, want, func(key string) {
					headers := make(chan struct{}) // have come, or are not expected to
					before := s.shown()
					go func() {
						<-b.there
						if held && path == "/headers" {
							s.isShown(before + 2)
						} else if status == http.StatusOK {
							<-headers
						}
						b.on <- struct{}{}
					}()
					ctx, cancel := context.WithTimeout(t.Context(), patient)
					defer cancel()
					response, err := c.Do(ask(t, ctx, s.envoy.URL()+path, key))
					close(headers)
					if held && path == "/headers" { // the client has seen nothing yet: Envoy answers in its place
						status, whole = http.StatusServiceUnavailable, true
						if !over2 {
							status = http.StatusBadGateway
						}
					}
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					defer response.Body.Close()
					if _, err := io.ReadAll(response.Body); response.StatusCode != status || (err == nil) != whole {
						t.Errorf("%s: answered %d, and the body ended with %v", name, response.StatusCode, err)
					}
				}, end)
			}
			f("/before", download, http.StatusServiceUnavailable, true, asked, answered) // Envoy answers in its place
			f("/upload", upload, http.StatusServiceUnavailable, true, asked, answered)
			f("/headers", download, http.StatusOK, false, counted, unknown)
			f("/body", download, http.StatusOK, false, counted, unknown)
			f("/end", download, http.StatusOK, false, counted, unknown)
		}
		s.undisturbed()
	}
}

func TestAClientThatBreaksOffAnywhereIsJudgedOnce(t *testing.T) {
	for _, depth := range []envoy.Depth{envoy.DepthAdaptive, envoy.DepthLean, envoy.DepthLog} {
		t.Run(string(depth), func(t *testing.T) { leaving(t, depth) })
	}
}

func leaving(t *testing.T, depth envoy.Depth) {
	b, held := breaking{make(chan struct{}), make(chan struct{})}, holdsHeaders(t, depth)
	s := set(t, envoytest.Settings{Depth: string(depth), Fail: "closed", Policy: permissive}, func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, b) })
	for protocol, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		f := func(path string, ask func(testing.TB, context.Context, string, string) *http.Request, headers bool, want left) {
			t.Helper()
			s.judged(protocol+" "+path, want, func(key string) {
				ctx, cancel := context.WithTimeout(t.Context(), patient)
				defer cancel()
				ended := make(chan error, 1)
				came := make(chan struct{})
				before := s.shown()
				go func() {
					response, err := c.Do(ask(t, ctx, s.envoy.URL()+path, key))
					if err == nil {
						defer response.Body.Close()
						close(came)
						_, err = io.ReadAll(response.Body)
					}
					ended <- err
				}()
				<-b.there
				if headers && held && path == "/headers" {
					s.isShown(before + 2)
				} else if headers {
					<-came
				}
				cancel()
				if err := <-ended; err == nil {
					t.Errorf("%s %s: it came to its end", protocol, path)
				}
				s.idle() // before the upstream notices anything
				b.on <- struct{}{}
			}, unknown)
		}
		f("/before", download, false, asked)
		f("/upload-and-answer", upload, false, asked)
		f("/headers", download, true, counted)
		f("/body", download, true, counted)
	}
	s.undisturbed()
}
