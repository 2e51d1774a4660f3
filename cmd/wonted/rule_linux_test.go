package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy/exception"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

const knownCallers = 8

func knownKey(caller int) string { return fmt.Sprintf("known-caller-%d", caller) }

// acquaint leaves in dir the profiles of callers that are known well: for ten
// days each has asked as often as it will.
func acquaint(t *testing.T, dir, host string) {
	t.Helper()
	key := identity.NewSecret()
	if err := os.WriteFile(filepath.Join(dir, "identity_key"), key[:], 0o600); err != nil {
		t.Fatal(err)
	}
	who := must(identity.New(identity.Default(), key, 0))
	store := profile.New(config.Default().Profile)
	defer store.Close()
	scorer := scoring.New(scoring.Config{Store: store})
	ex := &scoring.Exchange{}
	now := time.Now()
	for day := 10; day > 0; day-- {
		for second := range 600 {
			for caller := range knownCallers {
				ex.Reset()
				ex.Time = now.AddDate(0, 0, -day).Add(time.Duration(second) * time.Second)
				ex.Method, ex.Scheme, ex.Host, ex.Path, ex.Protocol = []byte("GET"), []byte("http"), []byte(host), []byte("/v1/orders"), []byte("HTTP/1.1")
				ex.Headers = []scoring.Header{{Name: []byte("x-api-key"), Value: []byte(knownKey(caller))}, {Name: []byte("user-agent"), Value: []byte("orders/1.0")}}
				ex.Source, ex.ResponseBytes, ex.Records = []byte("127.0.0.1:1"), -1, -1
				who.Resolve(ex)
				scorer.Begin(ex)
				ex.Status, ex.ResponseBytes = 200, 2
				scorer.Answer(ex, ex.Time)
				scorer.Complete(ex, scoring.Answered, ex.Time)
			}
		}
	}
	if err := store.Save(dir, profile.Meta{KeyID: key.ID(), Now: now}); err != nil {
		t.Fatal(err)
	}
}

// guarded is a wonted in enforce mode before a real Envoy, with callers it knows.
type guarded struct {
	*child
	t      *testing.T
	url    string
	admin  string
	policy string
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	dir, data := shortDir(t), t.TempDir()
	g := &guarded{t: t, admin: freePort(t), policy: filepath.Join(dir, "policy")}
	socket := "unix://" + filepath.Join(dir, "a.sock")
	if err := os.Mkdir(g.policy, 0o700); err != nil {
		t.Fatal(err)
	}
	g.rule("")
	upstream := envoytest.StartUpstream(t)
	acquaint(t, data, upstream.Address())
	g.child = spawn(t, "serve", "--mode", "enforce", "--fail", "closed", "--admin", g.admin, "--listen", socket, "--data-dir", data, "--policy", g.policy)
	g.says(t, `"message":"ready"`)
	g.url = envoytest.StartEnvoy(t, envoy.Options{Upstream: upstream.Address(), Wonted: socket, MessageTimeout: 15 * time.Second}).URL()
	return g
}

func (g *guarded) rule(text string) {
	g.t.Helper()
	file := filepath.Join(g.policy, "p.rego")
	if err := os.WriteFile(file+".next", []byte("package wonted.policy\n\n"+text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Rename(file+".next", file); err != nil {
		g.t.Fatal(err)
	}
}

// ask sends one request of a caller's.
func (g *guarded) ask(key string) (status int) {
	g.t.Helper()
	req := must(http.NewRequest(http.MethodGet, g.url+"/v1/orders", nil))
	req.Header.Set("x-api-key", key)
	req.Header.Set("user-agent", "orders/1.0")
	res := must(http.DefaultClient.Do(req))
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode
}

func (g *guarded) api(method, path, body string, answer any) {
	g.t.Helper()
	req := must(http.NewRequest(method, "http://"+g.admin+path, strings.NewReader(body)))
	res := must(http.DefaultClient.Do(req))
	defer res.Body.Close()
	if text := must(io.ReadAll(res.Body)); json.Unmarshal(text, answer) != nil || res.StatusCode != 200 {
		g.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
}

func (g *guarded) wonted(args ...string) string {
	g.t.Helper()
	var out strings.Builder
	if err := run(context.Background(), append(args, "--admin", g.admin), stdio{in: strings.NewReader(""), out: &out, err: &out}); err != nil {
		g.t.Fatalf("%v: %v", args, err)
	}
	return out.String()
}

const badRule = `deny contains {"rule": "orders", "reason": "a slip of the pen"} if startswith(input.request.path, "/v1/orders")`

// A rule with a mistake refuses everybody, for a handful of requests: then
// traffic is back, while who is not known is still told apart. Restored by hand
// it counts; an exception from it ends on time.
func TestABadRuleBeforeARealEnvoy(t *testing.T) {
	g := startGuarded(t)
	refused, asked := 0, 0
	next := func() int {
		status := g.ask(knownKey(asked % knownCallers))
		asked++
		if status != 200 && status != 403 {
			t.Fatalf("status %d", status)
		}
		return status
	}
	for range 5 * knownCallers {
		if status := next(); status != 200 {
			t.Fatalf("status %d before there is any rule", status)
		}
	}
	g.rule(badRule)
	g.says(t, "a changed policy is in force")
	begun := time.Now()
	for passed := 0; passed < 5*knownCallers; {
		if next() == 403 {
			refused++
			passed = 0
		} else if refused > 0 {
			passed++
		}
		if refused > 200 {
			t.Fatalf("%d requests of known callers were refused, and no end: %s", refused, g.wonted("rule", "list"))
		}
	}
	t.Logf("%d requests were refused; %v after the rule came, %d in a row had passed", refused, time.Since(begun).Round(time.Millisecond), 5*knownCallers)
	if refused == 0 {
		t.Error("nobody was refused: was the rule in force?")
	}
	g.says(t, "the rule is demoted to shadow")
	if list := g.wonted("rule", "list"); !strings.Contains(list, "orders  demoted, back in 10m") || !strings.Contains(list, "in good standing") {
		t.Errorf("rule list says\n%s", list)
	}
	envoytest.Eventually(t, "readyz warns", func() error {
		res := must(http.Get("http://" + g.admin + "/readyz"))
		defer res.Body.Close()
		if text := string(must(io.ReadAll(res.Body))); !strings.Contains(text, "demoted to shadow, since they stop callers in good standing: orders") {
			return fmt.Errorf("it says %s", text)
		}
		return nil
	})

	if said := g.wonted("rule", "restore", "orders"); said != "orders is in force again\n" {
		t.Errorf("restore says %q", said)
	}
	for range 10 * knownCallers {
		if status := next(); status != 403 {
			t.Fatalf("status %d, and the rule is restored: %s", status, g.wonted("rule", "list"))
		}
	}
	g.exceptionEnds(knownKey(0), knownKey(1))
}

// exceptionEnds sees that one caller passes until the very moment that its
// exception names, and another never.
func (g *guarded) exceptionEnds(key, other string) {
	var x exception.Exception
	g.api(http.MethodPost, "/v1/exceptions", fmt.Sprintf(`{"caller":%q,"rule":"orders","owner":"jo","reason":"a test","ttl":"700ms"}`, key), &x)
	passed, after := 0, 0
	for after < 10 {
		begun := time.Now()
		status := g.ask(key)
		switch ended := time.Now(); {
		case ended.Before(x.Expires) && status != 200:
			g.t.Fatalf("refused %v before the exception ends", x.Expires.Sub(ended))
		case begun.After(x.Expires) && status != 403:
			g.t.Fatalf("passed %v after the exception has ended", begun.Sub(x.Expires))
		case ended.Before(x.Expires):
			passed++
			if status := g.ask(other); status != 403 {
				g.t.Fatalf("another caller got %d", status)
			}
		case begun.After(x.Expires):
			after++
		}
	}
	if passed == 0 {
		g.t.Error("the exception ended before it could be used")
	}
	envoytest.Eventually(g.t, "the list says so", func() error { // Envoy tells the end of an exchange a moment later
		var list struct{ Exceptions []exception.Listed }
		g.api(http.MethodGet, "/v1/exceptions", "", &list)
		if got := list.Exceptions[0]; got.State != "expired" || int(got.Hits) < passed {
			return fmt.Errorf("%d passed: %+v", passed, got)
		}
		return nil
	})
	g.t.Logf("%d requests passed by an exception of 700 ms, and %d came after it", passed, after)
}
