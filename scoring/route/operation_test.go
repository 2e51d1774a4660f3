package route

import (
	"strings"
	"testing"
)

func TestOperation(t *testing.T) {
	f := func(contentType, path, body, want string) {
		t.Helper()
		name, ok := Operation([]byte(contentType), []byte(path), []byte(body))
		if name != want || ok != (want != "") {
			t.Errorf("%s %.80s: %q, want %q", path, body, name, want)
		}
	}
	const js, gql, rpc = "application/json; charset=utf-8", "/api/graphql", "/rpc"
	f(js, gql, `{"operationName":"GetOrders","query":"query GetOrders { orders { id } }"}`, "GetOrders")
	f(js, gql, `{"query":"mutation Drop($id: ID!) { drop(id: $id) }","variables":{"query":"{x}","operationName":"no"}}`, "Drop")
	f(js, gql, `{"operationName":null,"query":"{ orders { id } }"}`, "query")
	f(js, gql, `{"query":"mutation { a }"}`, "mutation")
	f(js, gql, `{"query":"# a\n fragment F on T { \"{\" x } \n query A @live(x: {a: 1}) { ...F } "}`, "A")
	f(js, gql, `{"query":"query A @live(x: {a: 1}) { a } mutation B @x { a }"}`, Batch)
	f(js, gql, `{"query":"query A { a } query B { b }"}`, Batch)
	f(js, gql, `{"query":"query A { a }","query":"query B { b }"}`, "B")
	f(js, gql, `{"operationName":"A","query":"query A { a`, "A") // cut off
	f(js, gql, `[{"operationName":"A"},{"operationName":"A"}]`, "A")
	f(js, gql, `[{"operationName":"A"},{"operationName":"B"}]`, Batch)
	f(js, gql, `["A"]`, "")
	f(js, gql, `{"query":"shoes"}`, "")
	f(js, gql, `{"query":17,"operationName":{}}`, "")
	f("application/graphql", gql, `subscription S { a }`, "S")
	f("application/x-www-form-urlencoded", gql, `query=%7Ba%7D&operationName=F`, "F")
	f("text/plain", gql, `{"operationName":"A"}`, "")
	f("", gql, `{"operationName":"A"}`, "A")
	f("application/vnd.x+json", "/graphq%6c/v1?x", `{"operationName":"A"}`, "A")
	f(js, "/admin/api/2026-01/graphql.json", `{"operationName":"A"}`, "A")

	f(js, rpc, `{"jsonrpc":"2.0","id":1,"method":"getBalance","params":["name",{"name":"x"}]}`, "getBalance")
	f(js, "/mcp", `{"jsonrpc":"2.0","method":"tools/call","params":{"arguments":{"name":"no"},"name":"search"}}`, "tools/call/search")
	f(js, "/mcp", `{"method":"tools/list","params":{"name":"x"}}`, "tools/list")
	f(js, rpc, `[{"method":"a"},{"method":"a"},{"method":"b"}]`, Batch)
	f(js, rpc, `[`+strings.Repeat(`{"method":"a"},`, 70)+`{"method":"a"}]`, Batch)
	f(js, rpc, strings.Repeat(`{"a":[`, 1000), "")

	// Elsewhere a body names no operation: it must not rename the route.
	for _, path := range []string{"/v1/export", "/graphql/export", "/", "", "/graphqlx", "/v1/rpc/x"} {
		f(js, path, `{"jsonrpc":"2.0","method":"a","operationName":"A"}`, "")
	}
}

func TestQueryOperation(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if name, ok := QueryOperation([]byte(path)); name != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", path, name, want)
		}
	}
	f("/graphql?query=%7Borders%7D", "query")
	f("/graphql?query=query+A%7Ba%7D&x=1#f", "A")
	f("/graphql/?%6fperationName=B&query=%7Ba%7D", "B")
	f("/graphql?operationName=A&operationName=B", "B")
	f("/graphql?variables={}", "")
	f("/graphql", "")
	f("/v1/export?operationName=A", "")
}

func TestMatchOperation(t *testing.T) {
	table := New()
	f := func(path, operation, name, kept string) {
		t.Helper()
		m := table.MatchOperation([]byte("POST"), []byte(path), []byte(operation))
		if m.Name != name || m.Operation != kept {
			t.Errorf("%s %s: %q of %q, want %q of %q", path, operation, m.Operation, m.Name, kept, name)
		}
		table.Learn(m)
		again := table.MatchOperation([]byte("POST"), []byte(path), []byte(operation))
		if again.Name != name || again.Operation != kept || !again.Known || again.ID != m.ID {
			t.Errorf("learned %+v, then %+v", m, again)
		}
	}
	f("/graphql", "GetOrders", "POST /graphql#GetOrders", "GetOrders")
	f("/graphql/", "", "POST /graphql", "")
	f("/mcp", "tools/call/search", "POST /mcp#tools/call/search", "tools/call/search")
	f("/mcp", "a b#{c}\xff", "POST /mcp#a%20b%23%7Bc%7D%FF", "a%20b%23%7Bc%7D%FF")
	f("/rpc", strings.Repeat("x", 1000), "POST /rpc#"+strings.Repeat("x", maxOperation), strings.Repeat("x", maxOperation))
	f("/v1/export", "GetOrders", "POST /v1/export", "")
	if m := table.Match([]byte("POST"), []byte("/graphql")); m.Name != "POST /graphql" || m.Operation != "" {
		t.Errorf("%+v", m)
	}

	// Invented operations become one route, and leave the others alone.
	table.Keep([]string{"POST /graphql#Purge"})
	for range 200 {
		table.Learn(table.MatchOperation([]byte("POST"), []byte("/graphql"), []byte("GetOrders")))
	}
	for i := range 1000 {
		table.Learn(table.MatchOperation([]byte("POST"), []byte("/graphql"), []byte("Get/"+letters(i))))
	}
	f("/graphql", "Invented", "POST /graphql#{id}", "Invented")
	f("/graphql", "GetOrders", "POST /graphql#GetOrders", "GetOrders")
	f("/graphql", "Purge", "POST /graphql#Purge", "Purge")
	f("/v2/graphql", "Invented", "POST /v2/graphql#Invented", "Invented")
	if table.Len() > 20 {
		t.Errorf("%d routes", table.Len())
	}
	again := New()
	if err := again.Load(table.Save()); err != nil {
		t.Fatal(err)
	}
	if m := again.MatchOperation([]byte("POST"), []byte("/graphql"), []byte("GetOrders")); m.Name != "POST /graphql#GetOrders" || !m.Known {
		t.Errorf("after a restart %+v", m)
	}
	post, path, op := []byte("POST"), []byte("/graphql"), []byte("GetOrders")
	if n := testing.AllocsPerRun(100, func() { table.MatchOperation(post, path, op) }); n > 0 {
		t.Errorf("%v allocations for a known operation", n)
	}
}

func TestGRPC(t *testing.T) {
	for name, want := range map[string]string{
		"POST /shop.v1.Orders/Get": "shop.v1.Orders/Get", "POST /x": "", "POST /": "", "": "",
	} {
		if got := GRPC(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func FuzzOperation(f *testing.F) {
	for _, seed := range []string{`{"operationName":"A","query":"{a}"}`, `[{"method":"tools/call","params":{"name":"x"}}]`, `{"query":"query A @x { \"\"\"`, `fragment`, "query=%7B"} {
		f.Add("application/json", "/graphql", seed)
		f.Add("application/graphql", "/graphql", seed)
		f.Add("application/x-www-form-urlencoded", "/rpc?"+seed, seed)
	}
	f.Fuzz(func(t *testing.T, contentType, path, body string) {
		name, ok := Operation([]byte(contentType), []byte(path), []byte(body))
		if ok != (name != "") {
			t.Fatalf("%q, %v", name, ok)
		}
		QueryOperation([]byte(path))
		m := New().MatchOperation([]byte("POST"), []byte(path), []byte(name))
		if len(m.Name) > maxName+1+3*maxOperation || strings.Count(m.Name, "#") > 1 {
			t.Fatalf("%+v", m)
		}
	})
}
