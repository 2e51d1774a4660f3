package route

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestOperation(t *testing.T) {
	f := func(contentType, body, want string) {
		t.Helper()
		name, ok := Operation([]byte(contentType), []byte(body))
		if name != want || ok != (want != "") {
			t.Errorf("%.80s: %q, want %q", body, name, want)
		}
	}
	const js = "application/json; charset=utf-8"
	f(js, `{"operationName":"GetOrders","query":"query GetOrders { orders { id } }"}`, "GetOrders")
	f(js, `{"query":"mutation Drop($id: ID!) { drop(id: $id) }","variables":{"query":"{x}","operationName":"no"}}`, "Drop")
	f(js, `{"operationName":null,"query":"{ orders { id } }"}`, "query/orders")
	f(js, `{"query":"{ # what?\n a : orders(first: 1) { id } }"}`, "query/orders")
	f(js, `{"query":"query { ...F } fragment F on Query { a }"}`, "query")
	f(js, `{"query":"mutation @live { drop, keep }"}`, "mutation/drop")
	f(js, `{"query":"{ __schema { types { name } } }"}`, "query/__schema")
	f(js, `{"query":"# a\n fragment F on T { \"{\" x } \n query A @live(x: {a: 1}) { ...F } "}`, "A")
	f(js, `{"query":"query A @live(x: {a: 1}) { a } mutation B @x { a }"}`, Batch)
	f(js, `{"query":"query A { a } query B { b }"}`, Batch)
	f(js, `{"operationName":"A","query":"query A { a`, "A") // broken
	f(js, `{"operationName":"A","query":17}`, "A")
	f(js, `[{"operationName":"A"},{"operationName":"A"}]`, "A")
	f(js, `[{"operationName":"A"},{"operationName":"B"}]`, Batch)
	f(js, `{"query":"{ # a\r a #\n : # b\n orders }"}`, "query/orders")
	f(js, `{"query":"query # a\r A # b\n { a }"}`, "A")
	f(js, `{"query":"#\rmutation { drop(x: \"\"\"\nquery A { a }\n\"\"\") } # end"}`, "mutation/drop")
	f(js, `{"query":"fragment F on T { a(x: \"\"\" \\\"\"\" )} query A { a } # \"\"\") } mutation { drop }"}`, "mutation/drop")
	f(js, `["A"]`, "")
	f(js, `[]`, "")
	f(js, `{"query":"shoes"}`, "")
	f(js, `{"query":17,"operationName":{}}`, "")
	f("application/graphql", `subscription S { a }`, "S")
	f("application/x-www-form-urlencoded", `query=%7Ba%7D&operationName=F`, "F")
	f("application/x-www-form-urlencoded", `query=%7Ba%7D&query=%7Bb%7D`, Batch)
	f("multipart/form-data", `{"operationName":"A"}`, "")
	f("text/plain", `{"operationName":"A"}`, "A")
	f("", `{"operationName":"A"}`, "A")
	f("application/graphql-response+JSON", "\ufeff{\"operationName\":\"A\"}", "A")

	f(js, `{"jsonrpc":"2.0","id":1,"method":"getBalance","params":["name",{"name":"x"}]}`, "getBalance")
	f(js, `{"jsonrpc":"2.0","id":1,"method":"getBalance","params":null}`, "getBalance")
	f(js, `{"params":{"arguments":{"name":"no"},"_meta":[{"name":"no"}],"name":"sear\u0063h"},"m\u0065thod":"tools\/call","jsonrpc":"2.0"}`, "tools/call/search")
	f(js, `{"method":"tools/list","params":{"name":"x"}}`, "tools/list")
	f(js, `{"method":"prompts/get","params":{"name":"x"}}`, "prompts/get/x")
	f(js, `{"method":"tools/call","params":{"arguments":{"name":"x"}}}`, "tools/call")
	f(js, `{"jsonrpc":"2.0","id":3,"result":{"method":"a"}}`, Response)
	f(js, `{"jsonrpc":"2.0","id":3,"error":{"code":-1}}`, Response)
	f(js, `{"jsonrpc":"2.0","id":3}`, "")
	f(js, `[{"method":"a"},{"method":"a"},{"method":"b"}]`, Batch)
	f(js, `[`+strings.Repeat(`{"method":"a"},`, maxBatch-1)+`{"method":"a"}]`, "a")
	f(js, `[`+strings.Repeat(`{"method":"a"},`, maxBatch)+`{"method":"a"}]`, Batch)
	f(js, `[1,{"method":"drop"}]`, Batch)
	f(js, `[{"method":"ping"},1,{"method":"drop"}]`, Batch)
	f(js, `[{"method":"ping"},[{"method":"drop"}]]`, Batch)
	f(js, `[{"method":"ping"}, `, "ping") // broken
	f(js, strings.Repeat(`{"a":[`, 1000), "")
	f(js, `{"method":"`+strings.Repeat("ä", 200)+`"}`, strings.Repeat("ä", maxOperation/2))
	f(js, "{\"method\":\"a\xffb\"}", "a\ufffdb")
	f(js, `{"method":"`+strings.Repeat("a\xff", 200)+`"}`, strings.Repeat("a\ufffd", maxOperation/4))
	f(js, `{"pad":"`+strings.Repeat("x", MaxBody)+`","method":"a"}`, "")

	// What servers may read in different ways.
	f(js, `{"query":"query A { a }","query":"query B { b }"}`, Batch)
	f(js, `{"method":"ping","method":"drop"}`, Batch)
	f(js, `{"method":"ping","Method":"drop"}`, Batch)
	f(js, `{"method":"ping","method":null}`, "ping")
	f(js, `{"METHOD":"ping"}`, "ping")
	f(js, `{"method":"ping","query":"mutation { drop }"}`, Batch)
	f(js, `{"method":"tools/call","params":{"name":"a"},"params":{"name":"a"}}`, Batch)
	f(js, `{"method":"tools/call","params":{"name":"a","name":"b"}}`, Batch)
	f(js, `{"method":"tools/call","params":{"name":"a"},"paramſ":{"name":"b"}}`, Batch)
	f(js, `{"method":"ping"}{"method":"drop"}`, Batch)
	f(js, `[{"method":"ping"}] {"method":"drop"}`, Batch)
	f("application/x-ndjson", "{\"method\":\"ping\"}\n{\"method\":\"drop\"}\n", Batch)
}

func TestReadable(t *testing.T) {
	for contentType, want := range map[string]bool{
		"": true, "application/json": true, "Application/JSON;charset=utf-8": true, "application/vnd.x+json": true, "application/graphql": true,
		"text/plain": true, "application/x-www-form-urlencoded": true, "multipart/form-data; boundary=x": false, "application/grpc": false, "text/html": false, "son": false,
	} {
		if Readable([]byte(contentType), nil) != want || !want && Readable([]byte(contentType), []byte("identity")) {
			t.Errorf("%q: %v", contentType, !want)
		}
		if Readable([]byte(contentType), []byte(" gzip")) {
			t.Errorf("%q is read compressed", contentType)
		}
	}
}

func TestQueryOperation(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if name, ok := QueryOperation([]byte(path)); name != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", path, name, want)
		}
	}
	f("/graphql?query=%7Borders%7D", "query/orders")
	f("/graphql?query=query+A%7Ba%7D&x=1#f", "A")
	f("/graphql/?%6fperationName=B&query=%7Ba%7D", "B")
	f("/graphql?operationName=A&operationName=B", Batch)
	f("/graphql?variables={}", "")
	f("/graphql", "")
}

func TestCarries(t *testing.T) {
	table := New()
	f := func(path string, want bool) {
		t.Helper()
		if table.Carries([]byte(path)) != want {
			t.Errorf("%s: %v", path, !want)
		}
		name := table.MatchOperation([]byte("POST"), []byte(path), "Op").Name
		if strings.HasSuffix(name, "#Op") != want {
			t.Errorf("%s: the route is %s", path, name)
		}
	}
	usual := func() {
		t.Helper()
		for _, path := range []string{"/graphql", "/api/GraphQL/", "//graphql?x", "/graphq%6c/v1?x#y", "/x/../rpc", "/mcp;v=1", "/jsonrpc/v2",
			"/admin/api/2026-01/graphql.json", "/json-rpc", "/v1/gql"} {
			f(path, true)
		}
		// Elsewhere a body names no operation: it must not rename the route.
		for _, path := range []string{"/v1/export", "/graphql/export", "/", "", "/graphqlx", "/v1/rpc/x", "/export?/graphql", "/mcp/..", "/mcp/../export", "?"} {
			f(path, false)
		}
	}
	usual()
	f("/tenants/acme/call", false)
	if err := table.Carry([]string{"/v1/call/", "/tenants/{tenant}/call"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		usual()
		f("/v1/call", true)
		f("/v1/%63all?x", true)
		f("/v1/call/x", false)
		f("/v2/call", false)
		f("/tenants/acme/call", true)
		f("/tenants/acme", false)
		if m := table.MatchOperation([]byte("POST"), []byte("/tenants/acme/call"), "Op"); m.Name != "POST /tenants/{id}/call#Op" {
			t.Errorf("%+v", m)
		}
		table.Keep([]string{"POST /v1/call#Op"}) // makes the table think again
	}
	for _, path := range []string{"v1/call", "", "/a?b", "/a/*", "/a{"} {
		if err := table.Carry([]string{path}); err == nil {
			t.Errorf("%q is accepted", path)
		}
	}
	if err := table.Carry(make([]string, maxCarried)); err == nil {
		t.Error("any number of paths is accepted")
	}
	post := []byte("/v1/orders/17?a=b")
	if n := testing.AllocsPerRun(100, func() { table.Carries(post) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A path that needs no template to tell is told alike with one.
func TestCarriesAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"/", "graphql", "rpc", "v1", "..", ".", "%2e", "?", "#", ";", "x", "MCP", ".json", "{", "\x80", "17"}), 0, 12).Draw(t, "path")
		path := []byte(strings.Join(pieces, ""))
		table := New()
		var b template
		b.build(nil, path, nil)
		if got := table.Carries(path); got != b.carries() {
			t.Fatalf("%s: %v, by its template %s %v", path, got, b.name[:b.length], !got)
		}
	})
}

func TestMatchOperation(t *testing.T) {
	table := New()
	f := func(path, operation, name, kept string) {
		t.Helper()
		m := table.MatchOperation([]byte("POST"), []byte(path), operation)
		if m.Name != name || m.Operation != kept {
			t.Errorf("%s %s: %q of %q, want %q of %q", path, operation, m.Operation, m.Name, kept, name)
		}
		table.Learn(m)
		again := table.MatchOperation([]byte("POST"), []byte(path), operation)
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
		table.Learn(table.MatchOperation([]byte("POST"), []byte("/graphql"), "GetOrders"))
	}
	for i := range 1000 {
		table.Learn(table.MatchOperation([]byte("POST"), []byte("/graphql"), "Get/"+letters(i)))
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
	if m := again.MatchOperation([]byte("POST"), []byte("/graphql"), "GetOrders"); m.Name != "POST /graphql#GetOrders" || !m.Known {
		t.Errorf("after a restart %+v", m)
	}
	post, path := []byte("POST"), []byte("/graphql")
	if n := testing.AllocsPerRun(100, func() { table.MatchOperation(post, path, "GetOrders") }); n > 0 {
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
	table := New() // matching leaves it as it is
	f.Fuzz(func(t *testing.T, contentType, path, body string) {
		name, ok := Operation([]byte(contentType), []byte(body))
		if ok != (name != "") || len(name) > maxOperation || !utf8.ValidString(name) {
			t.Fatalf("%q, %v", name, ok)
		}
		QueryOperation([]byte(path))
		m := table.MatchOperation([]byte("POST"), []byte(path), name)
		if len(m.Name) > maxName+1+3*maxOperation || strings.Count(m.Name, "#") > 1 {
			t.Fatalf("%+v", m)
		}
	})
}
