package openapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/scoring/route"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "orders.yaml", "get: {responses: {default: {description: d}}}\n")
	file := write(t, dir, "api.yaml", `
openapi: 3.1.0
info: {title: Shop, version: "1"}
servers:
- url: https://{region}.example.com/{base}/
  variables: {region: {default: eu}, base: {default: api/v1}}
- url: /api/v1
- url: https://old.example.com
paths:
  /orders/{orderId}:
    get: {responses: {default: {description: d}}}
    delete:
      servers: [{url: /admin}]
      responses: {default: {description: d}}
  /orders:
    $ref: orders.yaml
  /health:
    servers: [{url: https://example.com/}]
    get: {responses: {default: {description: d}}}
`)
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []route.Described{
		{Method: "GET", Path: "/health"},
		{Method: "GET", Path: "/api/v1/orders"}, {Method: "GET", Path: "/orders"},
		{Method: "DELETE", Path: "/admin/orders/{orderId}"},
		{Method: "GET", Path: "/api/v1/orders/{orderId}"}, {Method: "GET", Path: "/orders/{orderId}"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	table := route.New()
	if err := table.Seed(got); err != nil {
		t.Error(err)
	}
	if m := table.Match([]byte("GET"), []byte("/api/v1/orders/abc")); m.Name != "GET /api/v1/orders/{id}" || !m.Known {
		t.Errorf("%+v", m)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	f := func(text, want string) {
		t.Helper()
		file := write(t, dir, "api.yaml", text)
		_, err := Load(file)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want %q and the file's name", text, err, want)
		}
	}
	const head = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\n"
	f("swagger: '2.0'\npaths: {/a: {get: {}}}\n", "no OpenAPI 3")
	f("", "no OpenAPI 3")
	f(": [", "api.yaml")
	f(head+"paths: {}\n", "no operation")
	f(head, "no operation")
	f(head+"paths: {/a: null, /b: {get: null}}\nservers: [null]\n", "no operation")
	f(head+"servers: [{url: api/v1}]\npaths: {/a: {get: {responses: {}}}}\n", "GET /a: server api/v1")
	f(head+"paths: {/a: {$ref: 'http://127.0.0.1:1/a.yaml'}}\n", "only files are read")
	f(head+"paths: {/a: {$ref: missing.yaml}}\n", "missing.yaml")
	if _, err := Load(filepath.Join(dir, "none.yaml")); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Error(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Error(err)
	}
}
