package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// described is what openapi.json says of one route.
type described struct {
	Responses map[string]struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
}

// schemaFor is the schema of a route's answer of a status, as published, but
// that it allows no further names: what is answered is all described.
func schemaFor(t *testing.T, text []byte, method, path, status string) *jsonschema.Resolved {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]described
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	answer, ok := doc.Paths[strings.ReplaceAll(path, "...}", "}")][strings.ToLower(method)].Responses[status].Content["application/json"]
	if !ok {
		return nil
	}
	for _, s := range doc.Components.Schemas {
		closed(s)
	}
	definitions, err := json.Marshal(doc.Components.Schemas)
	if err != nil {
		t.Fatal(err)
	}
	whole := `{"$defs":` + string(definitions) + `,"allOf":[` + strings.ReplaceAll(string(answer.Schema), "#/components/schemas/", "#/$defs/") + `]}`
	var s jsonschema.Schema
	if err := json.Unmarshal([]byte(whole), &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// closed forbids names that a schema does not have.
func closed(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if s["properties"] != nil {
			s["additionalProperties"] = false
		}
		for _, v := range s {
			closed(v)
		}
	case []any:
		for _, v := range s {
			closed(v)
		}
	}
}

// busy is a service in which something of everything has happened.
func busy(t *testing.T) (s *service, decision string) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "policy"), 0o700); err != nil {
		t.Fatal(err)
	}
	rules := `package wonted.policy

deny contains {"rule": "teapots", "reason": "no teapots", "status": 404} if input.request.path == "/teapot"

challenge contains {"rule": "later", "reason": "one day", "shadow": true} if input.request.path == "/teapot"

quarantine contains {"entity": "network"} if input.request.path == "/teapot"
`
	if err := os.WriteFile(filepath.Join(dir, "policy", "p.rego"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	s = blocking(t, dir)
	for i, path := range []string{"/v1/orders/1", "/v1/orders/2", "/v1/orders/3", "/teapot"} {
		c := &policy.Case{}
		ex := &c.Exchange
		ex.ID = scoring.ID{byte(i + 1)}
		ex.Time = time.Now()
		ex.Method, ex.Host, ex.Path, ex.Source = []byte("GET"), []byte("api.example"), []byte(path), []byte("203.0.113.9:1")
		ex.Headers = []scoring.Header{{Name: []byte("x-api-key"), Value: []byte("alice-key-000001")}, {Name: []byte("user-agent"), Value: []byte("shop/1.0")}}
		s.resolver.Resolve(ex)
		if v := s.gate.Open(c); v.Pass != (i < 3) {
			t.Fatalf("%s: %+v", path, v)
		} else if !v.Pass {
			s.gate.Close(c, scoring.Refused, time.Now())
			break
		}
		ex.Status, ex.ResponseBytes, ex.Records = 200, 100, 3
		s.gate.Answer(c, time.Now())
		s.gate.Close(c, scoring.Answered, time.Now())
	}
	d := <-s.verdicts.queue
	s.verdicts.take(d)
	return s, d.ID
}

// What a running API really answers is what openapi.json says of each route, and
// nothing besides.
func TestAnswersAreAsDescribed(t *testing.T) {
	s, decision := busy(t)
	api := (&web{sv: s}).routes()
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w
	}
	text := ask("GET", "/v1/openapi.json", "").Body.Bytes()
	seen := map[string]bool{}
	f := func(route, path, body string, want int) (answer map[string]any) {
		t.Helper()
		method, template, _ := strings.Cut(route, " ")
		w := ask(method, path, body)
		status := map[int]string{200: "200", 404: "404"}[w.Code]
		if w.Code != want || status == "" {
			t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, want)
		}
		schema := schemaFor(t, text, method, template, status)
		if schema == nil {
			t.Fatalf("%s: the answer of %d is not described", route, w.Code)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(answer); err != nil {
			t.Errorf("%s: %v\n%s", route, err, w.Body)
		}
		if w.Code == http.StatusOK {
			seen[route] = true
		}
		return answer
	}
	caller := hashOf(s.resolver.Load().Key(profile.KindCaller, []byte("alice-key-000001")))
	f("GET /v1/", "/v1/", "", 200)
	f("GET /v1/openapi.json", "/v1/openapi.json", "", 200)
	f("GET /v1/status", "/v1/status", "", 200)
	f("GET /v1/profiles/{who}", "/v1/profiles/"+caller, "", 200)
	f("GET /v1/profiles/{who}", "/v1/profiles/nobody", "", 404)
	if all := f("GET /v1/decisions", "/v1/decisions", "", 200)["decisions"].([]any); len(all) != 1 {
		t.Errorf("%d decisions", len(all))
	}
	f("GET /v1/decisions/{id}", "/v1/decisions/"+decision, "", 200)
	f("GET /v1/decisions/{id}", "/v1/decisions/"+strings.Repeat("0", 32), "", 404)
	if all := f("GET /v1/rules", "/v1/rules", "", 200)["rules"].([]any); len(all) < 2 {
		t.Errorf("%d rules", len(all))
	}
	f("POST /v1/rules/{rule}/restore", "/v1/rules/teapots/restore", "", 200)
	f("POST /v1/rules/{rule}/restore", "/v1/rules/nothing/restore", "", 404)
	x := f("POST /v1/exceptions", "/v1/exceptions", `{"rule":"teapots","owner":"jo","reason":"why","ttl":"1h","caller":"`+caller+`"}`, 200)
	f("GET /v1/exceptions", "/v1/exceptions", "", 200)
	f("DELETE /v1/exceptions/{id}", "/v1/exceptions/"+x["id"].(string), "", 200)
	f("DELETE /v1/exceptions/{id}", "/v1/exceptions/x-0", "", 404)
	f("GET /v1/quarantines/preview", "/v1/quarantines/preview?entity=address&value=203.0.113.7", "", 200)
	b := f("POST /v1/quarantines", "/v1/quarantines", `{"entity":"caller","value":"`+caller+`","reason":"why"}`, 200)["quarantine"].(map[string]any)
	if all := f("GET /v1/quarantines", "/v1/quarantines", "", 200)["quarantines"].([]any); len(all) != 2 {
		t.Errorf("%d quarantines", len(all))
	}
	f("DELETE /v1/quarantines/{id}", "/v1/quarantines/"+b["id"].(string), "", 200)
	f("DELETE /v1/quarantines/{id}", "/v1/quarantines/"+b["id"].(string), "", 404)
	rec, pin, _ := s.store.Find(must2(parseKey(caller)))
	rec.Baseline.Requests10m.Add(10, 20)
	c := &rec.Habits().Challenger
	c.Mean[0], c.N[0], c.Days, c.Sessions, c.Last = 80, 30, 2, 4, uint32(time.Now().Unix())
	pin.Release()
	f("GET /v1/profiles/{who}", "/v1/profiles/"+caller, "", 200)
	f("POST /v1/profiles/{who}/accept", "/v1/profiles/"+caller+"/accept", "", 200)
	f("DELETE /v1/profiles/{who}", "/v1/profiles/"+caller, "", 200)
	f("DELETE /v1/profiles/{who}", "/v1/profiles/"+caller, "", 404)
	if all := f("GET /v1/audit", "/v1/audit", "", 200)["changes"].([]any); len(all) < 8 {
		t.Errorf("%d changes", len(all))
	}
	for _, r := range api.Routes() {
		if text := r.Role == admin.Open || r.Path == "/metrics"; !text && !seen[r.Method+" "+r.Path] {
			t.Errorf("%s %s was not asked", r.Method, r.Path)
		}
	}
}

func must2[T any](v T, ok bool) T {
	if !ok {
		panic("not found")
	}
	return v
}
