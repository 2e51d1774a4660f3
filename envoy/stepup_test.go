package envoy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file are about how verdicts are told to whom they concern.

// inPlace shows redirects instead of following them.
func inPlace(c client) client {
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

func TestAChallengeIsPutByWhoAsks(t *testing.T) {
	s := set(t, envoytest.Settings{
		Policy: rego(`challenge contains "who are you" if input.request.path != "/orders"`,
			`challenge contains {"reason": "fresh, please", "acr_values": "phr mfa", "max_age": 300, "redirect": "/step-up"} if input.request.path == "/orders"`),
		More: "challenge: {realm: shop, acr_values: phr, redirect: \"https://login.example.com/?client=shop\", header: x-sign-in}",
	})
	const token = `Bearer realm="shop", error="insufficient_user_authentication", error_description="Sign in again to continue", acr_values=`
	for name, c := range map[string]client{"HTTP/1.1": inPlace(http1(t)), "HTTP/2": inPlace(http2(t))} {
		f := func(path string, code int, want map[string]string, headers ...string) {
			t.Helper()
			m := mark()
			got := s.get(c, path, m, headers...)
			s.wants(got, code)
			for _, h := range []string{"www-authenticate", "location", "x-sign-in"} {
				if got := got.Header.Get(h); got != want[h] {
					t.Errorf("%s %s %q: %s is %q, want %q", name, path, headers, h, got, want[h])
				}
			}
			if log := s.logged(m); log.Details != "wonted_challenge" || log.Code != code || len(s.upstream.Seen(m)) != 0 {
				t.Errorf("%s %s %q: access log says %+v, %d requests upstream", name, path, headers, log, len(s.upstream.Seen(m)))
			} else if report := s.report(log.Wonted.ID); report["status"] != float64(code) {
				t.Errorf("%s %s %q: the report's status is %v, the client's %d", name, path, headers, report["status"], code)
			}
		}
		const plain = `Bearer realm="shop"`
		f("/", 401, map[string]string{"www-authenticate": token + `"phr"`}, "authorization", "Bearer t")
		f("/orders", 401, map[string]string{"www-authenticate": token + `"phr mfa", max_age="300"`}, "authorization", "Bearer t", "accept", "text/html")
		f("/", 401, map[string]string{"www-authenticate": plain}, "x-api-key", "k")
		f("/a/b?secret=1", 302, map[string]string{"www-authenticate": plain, "location": "https://login.example.com/?client=shop&return_to=%2Fa%2Fb"},
			"accept", "text/html", "sec-fetch-mode", "navigate")
		f("/orders", 302, map[string]string{"www-authenticate": plain, "location": "/step-up?return_to=%2Forders"}, "accept", "text/html", "cookie", "session=s")
		f("/", 401, map[string]string{"www-authenticate": plain, "x-sign-in": "https://login.example.com/?client=shop&return_to=%2F"},
			"cookie", "session=s", "sec-fetch-mode", "cors")
	}
	s.idle()
}

// A client does what RFC 9470 has it do: it is challenged, gets a token of the
// kind that was asked for, and passes with that; not with one that says less, nor
// by saying so itself.
func TestWhoHasSteppedUpPasses(t *testing.T) {
	login := newIssuer(t)
	s := set(t, envoytest.Settings{Policy: rego(
		`challenge contains {"reason": "transfers need a fresh second factor", "acr_values": "mfa", "max_age": 300} if {
	startswith(input.request.path, "/transfers")
	not stepped_up
}`,
		`stepped_up if {
	input.identity.acr == "mfa"
	input.identity.auth_age <= 300
}`)}, func(o *envoy.Options) { o.JWT = []envoy.JWT{login.options(t)} })
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	const asked = `Bearer realm="api", error="insufficient_user_authentication", error_description="Sign in again to continue", acr_values="mfa", max_age="300"`
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		f := func(code int, claims map[string]any, more ...string) {
			t.Helper()
			claims["sub"] = "alice"
			m := mark()
			got := s.get(c, "/transfers", m, append(more, "authorization", "Bearer "+login.sign(t, claims))...)
			s.wants(got, code)
			want := ""
			if code == http.StatusUnauthorized {
				want = asked
			}
			if got := got.Header.Get("www-authenticate"); got != want || (len(s.upstream.Seen(m)) == 1) != (want == "") {
				t.Errorf("%s, %v: www-authenticate %q, want %q", name, claims, got, want)
			}
		}
		f(401, map[string]any{})
		f(401, map[string]any{"acr": "pwd", "auth_time": ago(time.Second)})
		f(401, map[string]any{"acr": "mfa"})
		f(401, map[string]any{"acr": "mfa", "auth_time": ago(time.Hour)})
		f(200, map[string]any{"acr": "mfa", "auth_time": ago(time.Second)})
		f(401, map[string]any{"acr": "mfa", "auth_time": ago(time.Hour)}, "acr", "mfa", "auth_time", "9999999999")
		f(200, map[string]any{"acr": "mfa", "auth_time": ago(time.Minute)})
	}
	s.wants(s.get(http1(t), "/transfers", mark(), "x-api-key", "k"), http.StatusUnauthorized)
	s.idle()
}

func TestAThrottleTellsItsTimeAndTheQuotaThatIsStated(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(
		`throttle contains {"reason": "slowly", "retry_after": 7} if input.request.path == "/learned"`,
		`throttle contains {"reason": "slowly", "retry_after": 30, "quota": 100, "window": 60} if input.request.path == "/stated"`,
	)})
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		f := func(path, after, limit, policy string) {
			t.Helper()
			got := s.get(c, path, mark())
			s.wants(got, http.StatusTooManyRequests)
			for h, want := range map[string]string{"retry-after": after, "ratelimit": limit, "ratelimit-policy": policy} {
				if got := got.Header.Get(h); got != want {
					t.Errorf("%s %s: %s is %q, want %q", name, path, h, got, want)
				}
			}
		}
		f("/learned", "7", `"wonted";r=0;t=7`, "")
		f("/stated", "30", `"wonted";r=0;t=30`, `"wonted";q=100;w=60`)
	}
}

func TestRefusalsSpeakGRPC(t *testing.T) {
	s, conn, _ := rpc(t, envoy.DepthHeaders,
		`deny contains "d" if input.request.headers["x-want"] == "deny"`,
		`deny contains {"reason": "n", "status": 404} if input.request.headers["x-want"] == "missing"`,
		`challenge contains {"reason": "c", "redirect": "/login", "max_age": 60} if input.request.headers["x-want"] == "challenge"`,
		`throttle contains {"reason": "t", "retry_after": 9, "quota": 5, "window": 60} if input.request.headers["x-want"] == "throttle"`,
	)
	client := healthpb.NewHealthClient(conn)
	f := func(want string, code codes.Code, headers map[string]string) {
		t.Helper()
		var head, tail metadata.MD
		_, err := client.Check(as(t.Context(), "k", "x-want", want, "authorization", "Bearer t"), &healthpb.HealthCheckRequest{}, grpc.Header(&head), grpc.Trailer(&tail))
		if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), "decision_id=") {
			t.Errorf("%s: %v, want %v", want, err, code)
		}
		all := metadata.Join(head, tail)
		for name, value := range headers {
			if got := strings.Join(all[name], "|"); got != value {
				t.Errorf("%s: %s is %q, want %q", want, name, got, value)
			}
		}
	}
	f("deny", codes.PermissionDenied, nil)
	f("missing", codes.NotFound, nil)
	f("challenge", codes.Unauthenticated, map[string]string{"location": "",
		"www-authenticate": `Bearer realm="api", error="insufficient_user_authentication", error_description="Sign in again to continue", max_age="60"`})
	f("throttle", codes.ResourceExhausted, map[string]string{"retry-after": "9", "ratelimit": `"wonted";r=0;t=9`, "ratelimit-policy": `"wonted";q=5;w=60`})
	s.idle()
}

func TestMetadataOfAPolicyReachesEnvoy(t *testing.T) {
	rules := rego(`metadata contains {"key": "tier", "value": "gold"} if input.request.path == "/vip"`,
		`metadata contains {"key": "tier", "value": "late", "for": "deny"} if input.response.status == 404`,
		`deny contains "no" if input.request.path == "/denied"`,
		`metadata contains {"key": "tier", "value": "none"} if input.request.path == "/denied"`)
	f := func(mode string, want map[string]string) {
		t.Helper()
		s := set(t, envoytest.Settings{Mode: mode, Depth: "headers", Policy: rules})
		for path, tier := range want {
			m := mark()
			s.get(http1(t), path, m)
			if log := s.logged(m); log.Wonted.Tier != tier || !decisionID.MatchString(log.Wonted.ID) {
				t.Errorf("%s, %s: access log says %+v, want %q", mode, path, log.Wonted, tier)
			}
		}
	}
	f("enforce", map[string]string{"/vip": "gold", "/": "", "/?status=404": "late", "/denied": "none"})
	f("shadow", map[string]string{"/vip": "", "/denied": ""})
}
