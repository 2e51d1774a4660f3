package scoring

import (
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// What a request asks for is read from path, query and headers.
func TestRouteOfARequest(t *testing.T) {
	w := newWorld(t)
	v2 := w.routes.Match([]byte("GET"), []byte("/v2/x")).Version
	f := func(method, path string, headers []Header, name, operation string, version uint16) {
		t.Helper()
		ex := &Exchange{Time: monday, Method: []byte(method), Path: []byte(path), Headers: headers}
		w.scorer.Begin(ex)
		if m := ex.Route; m.Name != name || m.Operation != operation || m.Version != version {
			t.Errorf("%s %s: %+v, want %s, operation %q, version %d", method, path, m, name, operation, version)
		}
		w.scorer.Complete(ex, Refused, monday)
	}
	headers := func(pairs ...string) (all []Header) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, Header{[]byte(pairs[i]), []byte(pairs[i+1])})
		}
		return all
	}
	f("GET", "/orders", nil, "GET /orders", "", 0)
	f("GET", "/orders", headers("user-agent", "x", "x-api-version", "2"), "GET /orders", "", v2)
	f("GET", "/orders", headers("accept", "application/vnd.shop.v2+json", "content-type", "application/json"), "GET /orders", "", v2)
	f("POST", "/orders", headers("accept", "*/*", "content-type", "application/json;version=2"), "POST /orders", "", v2)
	f("GET", "/v2/orders", headers("api-version", "3", "accept", "application/json;v=4"), "GET /v2/orders", "", v2) // the path goes before
	f("GET", "/orders", headers("api-version", "2", "accept", "application/json;v=4"), "GET /orders", "", v2)
	f("GET", "/orders", headers("api-versio", "2"), "GET /orders", "", 0)

	grpc := headers("content-type", "application/grpc+proto")
	f("POST", "/shop.v1.Orders/Get", grpc, "POST /shop.v1.Orders/Get", "shop.v1.Orders/Get", 0)
	f("POST", "/shop.v1.Orders/Get", headers("content-type", "application/json"), "POST /shop.v1.Orders/Get", "", 0)
	f("GET", "/graphql?query=query+A%7Ba%7D", nil, "GET /graphql#A", "A", 0)
	f("POST", "/graphql?query=query+A%7Ba%7D", nil, "POST /graphql#A", "A", 0)
	f("GET", "/graphql", nil, "GET /graphql", "", 0)
	f("GET", "/export?operationName=A&query=%7Ba%7D", nil, "GET /export", "", 0)

	w.scorer = New(Config{Store: profile.New(profile.Config{Memory: 16 << 20}), Routes: route.New(), VersionHeaders: []string{"x-shop"}})
	f("GET", "/orders", headers("x-shop", "v2", "api-version", "3"), "GET /orders", "", v2)
}
