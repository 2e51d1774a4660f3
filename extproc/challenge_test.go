package extproc

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// challenged is what is particular of the answer to a challenge.
func challenged(u policy.StepUp, ex *scoring.Exchange, d policy.Decision) (status int, headers map[string]string) {
	d.Action = policy.Challenge
	a := newStepUp(u).answerTo(ex, policy.Verdict{Decision: &d, Class: "step-up"})
	headers = map[string]string{}
	for _, h := range a.headers.set {
		if h.name != "content-type" && h.name != "cache-control" {
			headers[h.name] = h.value
		}
	}
	return a.status, headers
}

// asking is a request for a path with these headers; session says whether it has
// a session's cookie.
func asking(method, path string, session bool, headers ...string) *scoring.Exchange {
	ex := exchange(headers...)
	ex.Method, ex.Path = []byte(method), []byte(path)
	if session {
		ex.Entities[profile.KindSession].Kind = profile.KindSession
	}
	return ex
}

func TestStepUpOfABearerToken(t *testing.T) {
	f := func(u policy.StepUp, d policy.Decision, want string) {
		t.Helper()
		// A page's browser that shows a token is a program all the same.
		status, got := challenged(u, asking("GET", "/", true, "authorization", "Bearer abc", "accept", "text/html"), d)
		if status != http.StatusUnauthorized {
			t.Errorf("status %d", status)
		}
		if diff := cmp.Diff(map[string]string{"www-authenticate": want}, got); diff != "" {
			t.Error(diff)
		}
	}
	const token = `error="insufficient_user_authentication", error_description="Sign in again to continue"`
	configured := policy.StepUp{Realm: "shop", ACRValues: "phr", MaxAge: 600, Redirect: "/login", Header: "x-sign-in"}
	f(policy.StepUp{}, policy.Decision{}, `Bearer realm="api", `+token)
	f(configured, policy.Decision{}, `Bearer realm="shop", `+token+`, acr_values="phr", max_age="600"`)
	f(configured, policy.Decision{Realm: "orders", Manner: policy.Manner{ACRValues: "mfa phr", MaxAge: time.Minute}},
		`Bearer realm="orders", `+token+`, acr_values="mfa phr", max_age="60"`)
	f(policy.StepUp{}, policy.Decision{Manner: policy.Manner{MaxAge: time.Minute}}, `Bearer realm="api", `+token+`, max_age="60"`)
}

func TestABrowserIsSentToSignIn(t *testing.T) {
	const plain = `Bearer realm="api"`
	f := func(u policy.StepUp, ex *scoring.Exchange, rule string, status int, pairs ...string) {
		t.Helper()
		want := map[string]string{"www-authenticate": plain}
		for i := 0; i < len(pairs); i += 2 {
			want[pairs[i]] = pairs[i+1]
		}
		got, headers := challenged(u, ex, policy.Decision{Manner: policy.Manner{Redirect: rule}})
		if diff := cmp.Diff(want, headers); got != status || diff != "" {
			t.Errorf("%s %s %q: status %d, want %d\n%s", ex.Method, ex.Path, ex.Headers, got, status, diff)
		}
	}
	none, login := policy.StepUp{}, policy.StepUp{Redirect: "/login"}
	both := policy.StepUp{Redirect: "https://login.example.com/?client=shop", Header: "x-sign-in"}
	page := []string{"accept", "Text/HTML,application/xhtml+xml", "sec-fetch-mode", "navigate"}
	script := []string{"accept", "application/json", "sec-fetch-mode", "cors"}

	f(none, asking("GET", "/orders", true, page...), "", 401)
	f(login, asking("GET", "/orders", true, page...), "", 302, "location", "/login?return_to=%2Forders")
	f(login, asking("HEAD", "/orders", false, page...), "", 302, "location", "/login?return_to=%2Forders")
	f(login, asking("POST", "/orders", true, page...), "", 303, "location", "/login") // it cannot be asked for again
	f(login, asking("GET", "/orders", true, page...), "/step-up", 302, "location", "/step-up?return_to=%2Forders")
	f(none, asking("GET", "/orders", false, "accept", "text/html"), "/step-up", 302, "location", "/step-up?return_to=%2Forders")
	f(both, asking("GET", "/orders", true, page...), "", 302, "location", "https://login.example.com/?client=shop&return_to=%2Forders")

	// Not round in circles.
	f(login, asking("GET", "/login?return_to=%2F", true, page...), "", 401)
	here := asking("GET", "/", true, page...)
	here.Host = []byte("login.example.com")
	f(both, here, "", 401)
	f(both, asking("GET", "/", true, page...), "", 302, "location", "https://login.example.com/?client=shop&return_to=%2F")

	// Scripts and programs are not sent anywhere.
	f(login, asking("GET", "/orders", true, script...), "", 401)
	f(both, asking("GET", "/orders", true, script...), "", 401, "x-sign-in", "https://login.example.com/?client=shop&return_to=%2Forders")
	f(both, asking("GET", "/orders", true), "", 401, "x-sign-in", "https://login.example.com/?client=shop&return_to=%2Forders")
	f(login, asking("GET", "/orders", true), "", 302, "location", "/login?return_to=%2Forders") // an old browser, by its session
	f(both, asking("GET", "/orders", false, "accept", "application/json"), "", 401)
	f(both, asking("GET", "/orders", false), "", 401)
	f(both, asking("POST", "/pkg.Service/Call", true, "content-type", "application/grpc", "accept", "text/html"), "", 401)
}

func TestAStatusOfTheRulesOwnRedirectsNobody(t *testing.T) {
	status, got := challenged(policy.StepUp{Redirect: "/login"}, asking("GET", "/", true, "accept", "text/html"), policy.Decision{Status: 403})
	if status != 403 || got["location"] != "" {
		t.Errorf("%d %v", status, got)
	}
}

// What is in return_to leads back to where the client was, on the same site, or
// is not there.
func TestWhereAClientIsLedBackTo(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := returning("/login", asking("GET", path, false), true); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
	f("/", "/login?return_to=%2F")
	f("/v1/export?token=secret&x=1", "/login?return_to=%2Fv1%2Fexport")
	f("/a&b=c#d", "/login?return_to=%2Fa%26b%3Dc%23d")
	f("/%0d%0aset-cookie:x", "/login?return_to=%2F%250d%250aset-cookie%3Ax")
	f("/\xff\xfe", "/login?return_to=%2F%FF%FE")
	f("//evil.example/", "/login")
	f("/\\evil.example/", "/login")
	f("\\evil", "/login")
	f("https://evil.example/", "/login")
	f("*", "/login")
	f("", "/login")
	f("/a\r\nb", "/login")
	f("/"+strings.Repeat("a", maxReturn), "/login")
}
