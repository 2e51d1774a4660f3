package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/recorded"
	"github.com/wonted-project/wonted/scoring/route"
)

// everyRule names callers in every way there is.
var everyRule = identity.Config{
	{Kind: "caller", MTLSSAN: true},
	{Kind: "caller", JWTClaim: "sub", Name: "jwt_claim:mail"},
	{Kind: "caller", Metadata: "tenants:id"},
	{Kind: "caller", Header: "x-api-key"},
	{Kind: "caller", Header: "x-partner"},
	{Kind: "credential", Bearer: true},
	{Kind: "session", Cookie: "session"},
	{Kind: "caller", Address: true},
}

// secretly is ordinary traffic and a dump, with the callers named in every way,
// secrets that must not be recorded, sources that agree and contradict each
// other, and answers of every kind.
func secretly() []*recorded.Exchange {
	rnd := rand.New(rand.NewPCG(3, 4))
	var all []*recorded.Exchange
	for i, r := range ordinary() {
		if i%3 == 0 { // still enough for everybody to be known
			all = append(all, r)
		}
	}
	all = append(all, dump(5)...)
	for i := range 3 { // the owner's own dump: known by nothing but its size
		r := page(beginning.AddDate(0, 0, workdays).Add(10*time.Hour+time.Duration(i)*time.Minute), 9, 10_000)
		r.Label = "attack"
		all = append(all, r)
	}
	for i, r := range all {
		who := strings.Split(r.Headers["user-agent"][0], "/")[1]
		key := r.Headers["x-api-key"][0]
		if r.Label == "" {
			switch who {
			case "1":
				r.Headers["x-partner"] = []string{key} // agrees
			case "2":
				r.Headers["x-partner"] = []string{"raw-partner"} // contradicts
			case "4":
				r.JWT = map[string]any{"sub": key, "mail": "four@example.com", "acr": "mfa", "auth_time": float64(r.Time.Unix() - 60)}
			case "5":
				r.JWT = map[string]any{"sub": 1234567890.0}
				r.Headers["authorization"] = []string{"Bearer raw-token-5"}
			case "6":
				r.Metadata = map[string]map[string]any{"tenants": {"id": "raw-tenant", "plan": "raw-plan"}}
				delete(r.Headers, "x-api-key")
			case "7":
				r.PeerSAN = "spiffe://raw-seven"
			case "8":
				delete(r.Headers, "x-api-key") // the address
			}
		}
		r.Headers["cookie"] = []string{fmt.Sprintf(`session="raw-session-%s-%d"; theme=dark`, who, r.Time.Day())}
		r.Path += "&access_token=raw-query"
		r.Host = "raw-user@api.example"
		if r.Label != "" {
			continue
		}
		switch rnd.IntN(20) {
		case 0:
			r.Path, r.Status = "/v1/orders/"+fmt.Sprint(i%50), 404
		case 1:
			r.Status = 401
		case 2:
			r.ResponseHeaders = nil // a declared size
		case 3:
			r.Path = fmt.Sprintf("/v1/orders/%d?sig=raw-signature", rnd.IntN(1000))
			r.Records, r.ResponseBytes = nil, new(int64)
			*r.ResponseBytes = 300
		case 4:
			r.Ended = "unknown"
		case 5:
			r.Ended, r.Status = "unknown", 0
		}
	}
	return all
}

// stolenList is a stolen list that is tried after that, among people who sign in.
func stolenList() (all []*recorded.Exchange) {
	at := beginning.AddDate(0, 0, workdays).Add(11 * time.Hour)
	for i := range 80 {
		at = at.Add(5 * time.Second)
		r := page(at, 9, 1)
		r.Method, r.Path, r.Status, r.Records, r.JWT = "POST", "/v1/login?q=1", 401, nil, nil
		r.Headers = map[string][]string{"user-agent": {"app"}, "content-type": {"application/json"}}
		r.RequestBody = fmt.Sprintf(`{"email":"raw-%d@example.com","password":"raw-password"}`, i)
		r.Source = "203.0.113.9:1"
		switch {
		case i%4 == 0:
			r.RequestBody, r.Status, r.Source = `{"email":"Raw-Bob@example.com","password":"raw-password"}`, 200, "198.51.100.7:1"
		case i%10 == 1:
			r.RequestBody = "grant_type=refresh_token&refresh_token=raw-token"
		}
		all = append(all, r)
	}
	return all
}

// agent is one who calls tools and queries, always the same ones, and then
// others.
func agent() (all []*recorded.Exchange) {
	at := beginning.AddDate(0, 0, workdays).Add(12 * time.Hour)
	bodies := []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":"raw-secret"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`,
		`{"query":"query Orders($n: Int) { orders(first: $n) { id } }","variables":{"n":10}}`,
		`[{"method":"tools/call","params":{"name":"search"}},{"method":"ping"}]`,
		`{"query":"{ orders { id } }"}`,
		"\xff\xfe", // nobody can read this
	}
	for i := range 400 {
		at = at.Add(20 * time.Second)
		r := page(at, 9, 1)
		n := i % len(bodies)
		r.Method, r.Path, r.RequestBody = "POST", []string{"/mcp", "/mcp", "/graphql", "/rpc", "/graphql?x=1", "/mcp"}[n], bodies[n]
		if i > 380 {
			r.RequestBody = fmt.Sprintf(`{"method":"tools/call","params":{"name":"drop_%c"}}`, 'a'+i%20)
		}
		r.Headers["content-type"] = []string{"application/json"}
		size := int64(len(r.RequestBody))
		r.RequestBytes = &size
		all = append(all, r)
	}
	return all
}

// judged is what a test compares of an exchange.
type judged struct {
	score    float64
	anomaly  bool
	route    string
	evidence string
	who      [profile.KindCount]profile.Key
}

func judgedOf(ex *scoring.Exchange) (j judged) {
	j.score, j.anomaly, j.route = ex.Assessment.Score, ex.Assessment.Anomalous, ex.Route.Name
	for _, e := range ex.Assessment.Evidence {
		j.evidence += fmt.Sprint(e.Detector, e.Score, e.Observed, e.Expected, e.Entity, ";")
	}
	for kind, id := range ex.Entities {
		j.who[kind] = id.Key
	}
	return j
}

// live judges exchanges as a stream does, and records them.
func live(t *testing.T, mode policy.Mode, cfg *config.Config, all []*recorded.Exchange) (scores []judged, recording string) {
	t.Helper()
	who, err := identity.New(cfg.Identity, identity.Secret{1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := loadPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{}
	r, end := recordTo(t, d, io.Discard)
	r.redact = recorded.NewRedactor(identity.Secret{1}.Recording(), "x-api-key", "x-partner")
	r.who = func() *identity.Resolver { return who }
	scorer := scoring.New(scoring.Config{Store: profile.New(cfg.Profile), Routes: route.New(), Location: time.UTC, Calibrator: calibrate.New(calibration(cfg.Budget))})
	gate := policy.NewGate(policy.Config{
		Scorer: scorer, Decider: engine, Mode: mode, Deadline: -1, Recorder: r, Log: zerolog.Nop(),
	})
	var c policy.Case
	table, err := signin.New(cfg.Login)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range all {
		c.Reset()
		if err := one.Fill(&c.Exchange); err != nil {
			t.Fatal(err)
		}
		c.Exchange.ID = scoring.ID{1, 14: byte(i >> 8), 15: byte(i)}
		asks(&c.Exchange, scorer, one.RequestBody)
		gate.Close(&c, carry(gate, who, table, &c, one), one.Time)
		scores = append(scores, judgedOf(&c.Exchange))
		for r.waiting.Load() > recordBytes/2 || len(r.queue) > recordLines/2 {
			time.Sleep(time.Millisecond) // a week passes faster here than the disk is meant for
		}
	}
	end()
	return scores, d.text.String()
}

// carry takes an exchange to its end, its body in four chunks.
func carry(gate *policy.Gate, who *identity.Resolver, table *signin.Table, c *policy.Case, r *recorded.Exchange) scoring.End {
	ex := &c.Exchange
	who.Resolve(ex)
	if !gate.Open(c).Pass {
		return scoring.Refused
	}
	if signs(ex, table, who, r.RequestBody) && !gate.Attempt(c, r.Time).Pass {
		return scoring.Refused
	}
	if !r.Answered() {
		return r.End()
	}
	r.Answer(ex)
	table.Answered(ex)
	v := gate.Answer(c, r.Time)
	if !v.Pass {
		return scoring.Refused
	}
	for chunk := int64(1); v.Body && chunk <= 4; chunk++ {
		r.Body(ex)
		ex.ResponseBytes = ex.ResponseBytes * chunk / 4
		if ex.Records >= 0 {
			ex.Records = ex.Records * chunk / 4
		}
		if !gate.Meter(c, r.Time).Pass {
			return scoring.Truncated
		}
	}
	return r.End()
}

// TestReplayOfARecording: what was recorded, replayed with the same policy from
// the same (empty) profiles, has the scores that live traffic had, and whoever
// was one identity is one. The key of the replay is another.
func TestReplayOfARecording(t *testing.T) {
	t.Chdir(t.TempDir())
	f := func(mode policy.Mode, want ...scoring.End) {
		t.Helper()
		cfg := config.Default()
		cfg.Identity, cfg.Profile.Memory = everyRule, profile.MinMemory
		all := slices.Concat(secretly(), stolenList(), agent())
		scores, recording := live(t, mode, cfg, all)
		if i := strings.Index(recording, "raw-"); i >= 0 {
			t.Errorf("%v: a secret is in the recording: …%s", mode, recording[max(0, i-40):i+40])
		}
		if n := strings.Count(recording, `"request_body":"{\"username\":\"~`); n != 72 {
			t.Errorf("%v: %d sign-ins are in the recording, of 72", mode, n)
		}
		if !slices.ContainsFunc(scores, func(j judged) bool { return j.anomaly && strings.Contains(j.evidence, "stuffing") }) {
			t.Errorf("%v: the list is not found", mode)
		}
		for _, want := range []string{"POST /mcp#tools/call/search", "POST /mcp#tools/list", "POST /mcp#tools/call/drop_e", "POST /mcp", "POST /graphql#Orders", "POST /graphql#query/orders", "POST /rpc#batch"} {
			if !slices.ContainsFunc(scores, func(j judged) bool { return j.route == want }) {
				t.Errorf("%v: nothing is judged on %s", mode, want)
			}
		}
		if strings.Contains(strings.ToLower(recording), "raw-bob") || strings.Contains(recording, "ak_live") || !strings.Contains(recording, "four@example.com") {
			t.Errorf("%v: an API key is in the recording, or a configured name is not", mode)
		}

		p, err := newPlayer(cfg, identity.Secret{2}, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		in := recorded.NewDecoder(strings.NewReader(recording), recorded.Auto)
		now := map[profile.Key]profile.Key{} // of the replay, by live ones
		was := map[profile.Key]profile.Key{}
		ends := map[scoring.End]int{}
		anomalous, differ := 0, 0
		for i, old := range scores {
			r, err := in.Next()
			if err != nil {
				t.Fatalf("%v, line %d: %v", mode, i+1, err)
			}
			if _, err := p.play(r); err != nil {
				t.Fatal(err)
			}
			ends[r.End()]++
			got := judgedOf(&p.c.Exchange)
			for kind, key := range old.who {
				if other, ok := now[key]; ok && other != got.who[kind] || was[got.who[kind]] != (profile.Key{}) && was[got.who[kind]] != key {
					t.Fatalf("%v, line %d: %v is grouped otherwise in the replay", mode, i+1, profile.Kind(kind))
				}
				if key != (profile.Key{}) {
					now[key], was[got.who[kind]] = got.who[kind], key
				}
			}
			if old.anomaly {
				anomalous++
			}
			if got.score != old.score || got.anomaly != old.anomaly || got.evidence != old.evidence || got.route != old.route {
				if differ++; differ <= 3 {
					t.Errorf("%v, line %d: %s %v\n%s, replayed %s %v\n%s", mode, i+1, old.route, old.score, old.evidence, got.route, got.score, got.evidence)
				}
			}
			if id := p.c.Exchange.ID; id != (scoring.ID{1, 14: byte(i >> 8), 15: byte(i)}) {
				t.Errorf("%v, line %d: the decision id is %v", mode, i+1, id)
			}
		}
		if _, err := in.Next(); err != io.EOF {
			t.Errorf("%v: more lines than exchanges: %v", mode, err)
		}
		for _, end := range want {
			if ends[end] == 0 {
				t.Errorf("%v: no exchange ends as %d: %v", mode, end, ends)
			}
		}
		if anomalous == 0 {
			t.Errorf("%v: nothing is anomalous, so that little is compared", mode)
		}
		t.Logf("%v: %d exchanges, %d anomalous, %d differ, ends %v, %d entities, %d bytes", mode, len(all), anomalous, differ, ends, len(now), len(recording))
	}
	f(policy.Shadow, scoring.Answered, scoring.Unknown)
	f(policy.Enforce, scoring.Answered, scoring.Unknown, scoring.Refused, scoring.Truncated)
}

// Where a recording has a body and no operation, such as a HAR, it is read from
// the body.
func TestReplayReadsOperations(t *testing.T) {
	cfg := config.Default()
	cfg.Profile.Memory, cfg.Routes.Operations = profile.MinMemory, []string{"/v1/call"}
	p, err := newPlayer(cfg, identity.Secret{2}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	f := func(path, operation, body, want string) {
		t.Helper()
		if _, err := p.play(&recorded.Exchange{Time: beginning, Method: "POST", Path: path, Operation: operation, RequestBody: body, Status: 200}); err != nil {
			t.Fatal(err)
		}
		if got := p.c.Exchange.Route.Name; got != want {
			t.Errorf("%s is judged on %s, want %s", path, got, want)
		}
	}
	f("/graphql", "", `{"query":"{ orders { id } }"}`, "POST /graphql#query/orders")
	f("/v1/call", "", `{"method":"ping"}`, "POST /v1/call#ping")
	f("/v1/call", "pong", `{"method":"ping"}`, "POST /v1/call#pong")
	f("/v1/orders", "pong", `{"method":"ping"}`, "POST /v1/orders")
	f("/graphql", "", "", "POST /graphql")
}
