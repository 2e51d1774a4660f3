package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring/route"
)

// Routes keep their names over a restart: what was learned lies in data_dir.
func TestRoutesSurviveARestart(t *testing.T) {
	engine, err := rego.Default()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	var log bytes.Buffer
	start := func() *service {
		s := &service{cfg: cfg, log: zerolog.New(&log)}
		if err := s.openRoutes(engine); err != nil {
			t.Fatal(err)
		}
		return s
	}
	name := func(s *service) string { return s.routes.Match([]byte("GET"), []byte("/v1/users/alice")).Name }

	first := start()
	if got := name(first); got != "GET /v1/users/alice" {
		t.Fatal(got)
	}
	for i := range 300 {
		first.routes.Learn(first.routes.Match([]byte("GET"), fmt.Appendf(nil, "/v1/users/%c%c", 'a'+i%26, 'a'+i/26)))
	}
	file := filepath.Join(cfg.DataDir, routesFile)
	if err := os.WriteFile(file, first.routes.Save(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := name(start()); got != "GET /v1/users/{id}" || log.Len() > 0 {
		t.Errorf("after a restart %s; %s", got, &log)
	}

	// What is damaged is said, and does not stop the start.
	if err := os.Truncate(file, 20); err != nil {
		t.Fatal(err)
	}
	if got := name(start()); got != "GET /v1/users/alice" || !strings.Contains(log.String(), "breaks off") {
		t.Errorf("%s; %s", got, &log)
	}
}

func TestRoutesOfADescription(t *testing.T) {
	engine, err := rego.Default()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	open := func(text string) (*route.Table, error) {
		cfg.Routes.OpenAPI = filepath.Join(t.TempDir(), "api.yaml")
		if err := os.WriteFile(cfg.Routes.OpenAPI, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return newRoutes(cfg, engine)
	}
	routes, err := open("openapi: 3.0.3\ninfo: {title: t, version: '1'}\nservers: [{url: /v1}]\npaths: {'/users/{name}': {get: {responses: {default: {description: d}}}}}\n")
	if err != nil {
		t.Fatal(err)
	}
	if m := routes.Match([]byte("GET"), []byte("/v1/users/alice")); m.Name != "GET /v1/users/{id}" || m.Object == 0 {
		t.Errorf("%+v", m)
	}
	for text, want := range map[string]string{
		"swagger: '2.0'\n": "no OpenAPI 3",
		"openapi: 3.0.3\npaths: {'/a/{b': {get: {responses: {}}}}\n": "GET /a/{b",
	} {
		_, err := open(text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "routes.openapi: "+cfg.Routes.OpenAPI) {
			t.Errorf("%s: %v", text, err)
		}
		var out bytes.Buffer
		if explain(&out, err); !strings.Contains(out.String(), "hint: ") {
			t.Errorf("no hint: %s", &out)
		}
	}
}
