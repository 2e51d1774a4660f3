package envoy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The test of this file is about every shape that a message of HTTP can have:
// whatever a client sees of it through wonted, it sees through Envoy alone.

// shapes answers each path in a shape of its own.
func shapes(w http.ResponseWriter, r *http.Request) {
	flush := func() { _ = http.NewResponseController(w).Flush() }
	switch h := w.Header(); r.URL.Path {
	case "/empty":
	case "/nocontent":
		w.WriteHeader(http.StatusNoContent)
	case "/notmodified":
		h.Set("etag", `"17"`)
		w.WriteHeader(http.StatusNotModified)
	case "/declared":
		h.Set("content-length", "5")
		io.WriteString(w, "hello")
	case "/chunks":
		for range 3 {
			io.WriteString(w, strings.Repeat("chunk", 1000))
			flush()
		}
	case "/hints":
		h.Set("link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "hinted")
	case "/trailers":
		io.WriteString(w, "body")
		flush()
		h.Set(http.TrailerPrefix+"x-tail", "t")
	case "/onlytrailers":
		flush()
		h.Set(http.TrailerPrefix+"x-tail", "t")
	case "/teapot":
		http.Error(w, "short and stout", http.StatusTeapot)
	case "/echo": // the body, what it was declared as, and the trailers after it
		body, err := io.ReadAll(r.Body)
		h.Set("x-got", fmt.Sprintf("%d bytes, declared %d, trailers %v, %v", len(body), r.ContentLength, r.Trailer, err))
		w.Write(body)
	default:
		http.NotFound(w, r)
	}
}

// withTrailers lets Envoy pass trailers on over HTTP/1.1, which it would drop.
func withTrailers(t testing.TB) func(*bootstrapv3.Bootstrap) {
	t.Helper()
	return func(b *bootstrapv3.Bootstrap) {
		enabled := &corev3.Http1ProtocolOptions{EnableTrailers: true}
		editManager(t, b, func(m *hcmv3.HttpConnectionManager) { m.HttpProtocolOptions = enabled })
		upstream := b.StaticResources.Clusters[0]
		if upstream.TypedExtensionProtocolOptions != nil {
			return // HTTP/2 has them
		}
		packed, err := anypb.New(&httpv3.HttpProtocolOptions{UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{HttpProtocolOptions: enabled},
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		upstream.TypedExtensionProtocolOptions = map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": packed}
	}
}

// request is one to send; expect: with "100-continue".
type request struct {
	method, path, body       string
	chunked, trailer, expect bool
}

// sight is all that a client can see of an answer.
type sight struct {
	Status        int
	Length        int64
	Header        http.Header
	Body          string
	Trailer       http.Header
	Informational []int
	Continued     bool // it was told to go on with the body
	Err           string
}

// send sends r and reads the answer to its end.
func (r request) send(t testing.TB, c client, base, key string) (seen sight) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	trace := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got100Continue: func() { seen.Continued = true },
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			seen.Informational = append(seen.Informational, code)
			return nil
		},
	})
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	if r.chunked {
		body = struct{ io.Reader }{body} // hides its length
	}
	out, err := http.NewRequestWithContext(trace, r.method, base+r.path, body)
	if err != nil {
		t.Fatal(err)
	}
	out.Header.Set("x-api-key", key)
	if r.trailer {
		out.Trailer = http.Header{"X-Sum": {"17"}}
	}
	if r.expect {
		out.Header.Set("expect", "100-continue")
	}
	in, err := c.Do(out)
	if err != nil {
		return sight{Err: err.Error()}
	}
	defer in.Body.Close()
	text, err := io.ReadAll(in.Body)
	seen.Status, seen.Length, seen.Header, seen.Body, seen.Trailer, seen.Err = in.StatusCode, in.ContentLength, in.Header, string(text), in.Trailer, fmt.Sprint(err)
	in.Header.Del("date")
	in.Header.Del("x-envoy-upstream-service-time")
	return seen
}

func everyShape() (all []request) {
	for _, path := range []string{"/empty", "/nocontent", "/notmodified", "/declared", "/chunks", "/hints", "/trailers", "/onlytrailers", "/teapot", "/nowhere"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			all = append(all, request{method: method, path: path})
		}
	}
	echo := request{method: http.MethodPost, path: "/echo", body: strings.Repeat("0123456789", 20_000)}
	for _, how := range []struct{ chunked, trailer, expect bool }{{}, {chunked: true}, {chunked: true, trailer: true}, {expect: true}, {chunked: true, expect: true}} {
		echo.chunked, echo.trailer, echo.expect = how.chunked, how.trailer, how.expect
		all = append(all, echo)
	}
	return append(all, request{method: http.MethodPost, path: "/echo"}, request{method: http.MethodOptions, path: "/declared"})
}

func TestEveryShapeOfMessagePassesAsThroughEnvoyAlone(t *testing.T) {
	upstream := envoytest.Serve(t, http.HandlerFunc(shapes))
	for _, over2 := range []bool{false, true} {
		s := setEdited(t, withTrailers(t), envoytest.Settings{Fail: "closed", Policy: permissive}, func(o *envoy.Options) {
			o.Upstream, o.UpstreamHTTP2 = upstream, over2
		})
		alone, err := envoy.StartEdited(t.Context(), envoytest.Find(t), envoy.Options{
			Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Concurrency: 1, Upstream: upstream, UpstreamHTTP2: over2, Bare: true,
		}, t.TempDir(), withTrailers(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(alone.Stop)
		var continued, trailed int // what must have been seen at all
		for protocol, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
			c.Transport.(*http.Transport).ExpectContinueTimeout = patient
			for _, r := range everyShape() {
				name := fmt.Sprintf("%s to Envoy, upstream HTTP/2: %v, %s %s %+v", protocol, over2, r.method, r.path, []bool{r.chunked, r.trailer, r.expect})
				want, leaves := r.send(t, c, alone.URL(), "key"), learned
				if want.Status >= 400 {
					leaves = asked
				}
				s.judged(name, leaves, func(key string) {
					got := r.send(t, c, s.envoy.URL(), key)
					if difference := cmp.Diff(want, got); difference != "" || got.Status == 0 {
						t.Errorf("%s (- Envoy alone, + with wonted):\n%s", name, difference)
					}
				}, answered)
				if want.Continued {
					continued++
				}
				if len(want.Trailer) > 0 {
					trailed++
				}
			}
		}
		if continued == 0 || trailed == 0 {
			t.Errorf("nothing was told to continue (%d) or had trailers (%d): the test proves nothing", continued, trailed)
		}
		s.undisturbed()
	}
}
