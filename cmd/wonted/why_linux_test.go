package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Whoever dumps is cut by the real Envoy, and the explanation says how many
// records would have passed: who asks for one more is cut, too, and who asks for
// that many is not. All have the same past, of ten records at a time.
func TestWhyADumpWasCut(t *testing.T) {
	w := startWhy(t)
	if !w.cut("ann", 5000) {
		t.Fatal("a dump has passed")
	}
	d := w.latest("ann-…")
	p := d.Passing
	if p == nil || p.Unit != "records" || p.Window != "" || p.AtMost < 20 || p.AtMost > 2000 {
		t.Fatalf("would have passed: %+v of %+v", p, d)
	}
	if d.Phase != "body" || d.Action != "deny" || d.Standing == nil || d.Standing.Level != "mature" {
		t.Errorf("explained as %+v", d)
	}
	text := w.why(d.ID)
	for _, want := range []string{
		`(?m)^decision +` + d.ID + `$`,
		`(?m)^verdict +deny: reached at the response's body`,
		`(?m)^who +caller ann-… \([0-9a-f]{32}\)$`,
		`(?m)^route +GET /v1/orders$`,
		`(?m)^reason +response budget: .* usual for this caller$`,
		`(?m)^by +default\.rego:[0-9]+  response_budget$`,
		`(?m)^evidence +volume .* records in one response where 10 are usual`,
		fmt.Sprintf(`(?m)^passes +it would have with at most %d records in the response$`, p.AtMost),
		`(?m)^its last 2 exchanges`, // the one before was plainly allowed
		`(?m)^[0-9:.]+ +GET /v1/orders +200 +- +[0-9]+ bytes +0\.0 +allow$`,
		`(?m)^[0-9:.]+ +GET /v1/orders .* cut$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "ann-key") {
		t.Errorf("a key is told:\n%s", text)
	}
	if !w.cut("ben", p.AtMost+1) {
		t.Error("one record more than would have passed has passed")
	}
	body, err := w.get("cid", fmt.Sprintf("records=%d&flush=20&pause=2ms", p.AtMost))
	if n := envoytest.Records(body); err != nil || int64(n) != p.AtMost {
		t.Errorf("%d records arrived of those that would have passed, %v", n, err)
	}
}

// The id in the answer to a refused request leads to its explanation, which says
// how large a response would have passed; also after a restart.
func TestWhyByTheIDOfTheAnswer(t *testing.T) {
	w := startWhy(t)
	refused := func(who string, size int64) (id string) {
		t.Helper()
		body, err := w.get(who, fmt.Sprintf("bytes=%d&declare=1", size))
		var problem struct {
			ID string `json:"decision_id"`
		}
		if err != nil || json.Unmarshal(body, &problem) != nil || problem.ID == "" {
			t.Fatalf("%d bytes: %.80s, %v", size, body, err)
		}
		return problem.ID
	}
	id := refused("ann", 50_000_000)
	d := w.decision(id)
	p := d.Passing
	if d.Phase != "response" || d.Status != http.StatusForbidden || p == nil || p.Unit != "bytes" {
		t.Fatalf("explained as %+v, %+v", d, p)
	}
	refused("ben", p.AtMost+1)
	if body, err := w.get("cid", fmt.Sprintf("bytes=%d&declare=1", p.AtMost)); err != nil || int64(len(body)) != p.AtMost {
		t.Errorf("%d bytes arrived of %d that would have passed, %v", len(body), p.AtMost, err)
	}
	before := w.why(id)
	w.restart()
	if after := w.why(strings.ToUpper(id)); after != before {
		t.Errorf("after a restart\n%s\nand before\n%s", after, before)
	}
}

// why is a wonted behind a real Envoy that knows ann, ben and cid.
type why struct {
	*testing.T
	args  []string
	admin string
	url   string
	child *child
}

func startWhy(t *testing.T) *why {
	t.Helper()
	dir, data := shortDir(t), t.TempDir()
	w := &why{T: t, admin: freePort(t)}
	upstream := envoytest.StartUpstream(t)
	key := identity.NewSecret()
	file, socket := filepath.Join(dir, "wonted.yaml"), "unix://"+filepath.Join(dir, "a.sock")
	settings := fmt.Sprintf("mode: enforce\nadmin: %s\nlisten: %s\ndata_dir: %s\nidentity_key: %s\ndecision_deadline: 10s\n"+
		"identity:\n- {kind: caller, header: x-api-key, name: mask}\n", w.admin, socket, data, filepath.Join(dir, "key"))
	for name, text := range map[string][]byte{file: []byte(settings), filepath.Join(dir, "key"): key[:]} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rememberAll(t, data, key, "ann", "ben", "cid")
	w.args = []string{"serve", "--config", file}
	w.start()
	proxy := envoytest.StartEnvoy(t, envoy.Options{Upstream: upstream.Address(), Wonted: socket, MessageTimeout: 15 * time.Second})
	w.url = proxy.URL()
	for _, who := range []string{"ann", "ben", "cid"} {
		if body, err := w.get(who, "records=10"); err != nil || envoytest.Records(body) != 10 {
			t.Fatalf("ordinary life ended with %v: %s", err, body)
		}
	}
	var status struct {
		Open int `json:"open_exchanges"`
	}
	w.await("/v1/status", &status, func() bool { return status.Open == 0 }) // all of it is learned
	return w
}

func (w *why) start() {
	w.child = spawn(w.T, w.args...)
	w.child.says(w.T, `"message":"ready"`)
}

func (w *why) restart() {
	w.Helper()
	w.child.Process.Signal(os.Interrupt)
	if err := w.child.ends(w.T); err != nil {
		w.Fatal(err)
	}
	w.start()
}

// get asks for orders and returns what arrived, refused or not.
func (w *why) get(who, script string) ([]byte, error) {
	w.Helper()
	req := must(http.NewRequestWithContext(w.Context(), "GET", w.url+"/v1/orders?"+script, nil))
	req.Header.Set("x-api-key", who+"-key-00001")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// cut says whether a response that streams was stopped: broken off, or, if its
// headers had not left yet, refused.
func (w *why) cut(who string, records int64) bool {
	w.Helper()
	body, err := w.get(who, fmt.Sprintf("records=%d&flush=20&pause=2ms", records))
	return err != nil || int64(envoytest.Records(body)) < records
}

// why is what the command says of a decision.
func (w *why) why(id string) string {
	w.Helper()
	w.decision(strings.ToLower(id)) // it is there
	var out bytes.Buffer
	if err := run(w.Context(), []string{"why", id, "--admin", w.admin}, stdio{out: &out, err: io.Discard}); err != nil {
		w.Fatal(err)
	}
	return out.String()
}

// decision waits for one that was made just now.
func (w *why) decision(id string) (d decisionView) {
	w.Helper()
	w.await("/v1/decisions/"+id, &d, func() bool { return d.ID == id })
	return d
}

// latest waits for the latest to be somebody's.
func (w *why) latest(name string) *policy.Report {
	w.Helper()
	var all decisionList
	w.await("/v1/decisions?limit=1", &all, func() bool { return len(all.Decisions) == 1 && all.Decisions[0].Identity == name })
	return all.Decisions[0]
}

func (w *why) await(path string, answer any, is func() bool) {
	w.Helper()
	envoytest.Eventually(w.T, path, func() error {
		res, err := http.Get("http://" + w.admin + path)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(answer); err != nil || !is() {
			return fmt.Errorf("%d, %v, %+v", res.StatusCode, err, answer)
		}
		return nil
	})
}

// rememberAll writes the profiles of callers who have come for eight days, at
// this time of day, for ten records of some 200 bytes.
func rememberAll(t *testing.T, dir string, key identity.Secret, callers ...string) {
	t.Helper()
	who := must(identity.New(identity.Config{{Kind: "caller", Header: "x-api-key", Name: "mask"}}, key, 0))
	store := profile.New(profile.Config{})
	defer store.Close()
	scorer := scoring.New(scoring.Config{Store: store})
	now := time.Now()
	ex := &scoring.Exchange{}
	for day := 8; day > 0; day-- {
		for i := range 36 { // an hour's
			at := now.AddDate(0, 0, -day).Add(time.Duration(i-36) * 100 * time.Second)
			for _, name := range callers {
				ex.Reset()
				ex.Time, ex.Method, ex.Path = at, []byte("GET"), []byte("/v1/orders?records=10")
				ex.Host, ex.Scheme, ex.Protocol = []byte("api"), []byte("http"), []byte("HTTP/1.1")
				ex.Source = []byte("127.0.0.1:40000")
				ex.Headers = append(ex.Headers, scoring.Header{Name: []byte("x-api-key"), Value: []byte(name + "-key-00001")},
					scoring.Header{Name: []byte("user-agent"), Value: []byte("Go-http-client/1.1")})
				ex.RequestBytes, ex.ResponseBytes, ex.Records = 0, -1, -1
				who.Resolve(ex)
				scorer.Begin(ex)
				ex.Status, ex.ResponseBytes, ex.Records = 200, 2000+int64(i), 10
				scorer.Answer(ex, at)
				scorer.Complete(ex, scoring.Answered, at)
			}
		}
	}
	if err := store.Save(dir, profile.Meta{KeyID: key.ID(), Now: now}); err != nil {
		t.Fatal(err)
	}
}
