package scoring

import (
	"strings"
	"testing"

	"github.com/wonted-project/wonted/scoring/route"
)

// A request whose body names an operation is judged on the operation's route.
func TestOperationInBody(t *testing.T) {
	w := newWorld(t)
	if err := w.routes.Carry([]string{"/v1/call"}); err != nil {
		t.Fatal(err)
	}
	f := func(method, path string, length int64, headers []Header, body, want string) {
		t.Helper()
		ex := &Exchange{Time: monday, Method: []byte(method), Path: []byte(path), Headers: headers, RequestBytes: length}
		if w.scorer.OperationInBody(ex) {
			w.scorer.ReadOperation(ex, []byte(body))
		}
		w.scorer.Begin(ex)
		if ex.Route.Name != want {
			t.Errorf("%s %s: the route is %s, want %s", method, path, ex.Route.Name, want)
		}
		w.scorer.Complete(ex, Answered, monday)
	}
	js := func(more ...string) []Header {
		all := []Header{{[]byte("content-type"), []byte("application/json")}}
		for i := 0; i < len(more); i += 2 {
			all = append(all, Header{[]byte(more[i]), []byte(more[i+1])})
		}
		return all
	}
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}`
	f("POST", "/mcp", 70, js(), call, "POST /mcp#tools/call/search")
	f("POST", "/mcp", -1, js(), call, "POST /mcp#tools/call/search")
	f("POST", "/v1/call", 70, js(), call, "POST /v1/call#tools/call/search")
	f("POST", "/graphql", 70, js(), `{"query":"{ orders }"}`, "POST /graphql#query/orders")
	f("POST", "/graphql?query={orders}", 70, js(), `{"query":"{ orders }"}`, "POST /graphql#query/orders")
	f("POST", "/graphql?query={drop}", 70, js(), `{"query":"{ orders }"}`, "POST /graphql#batch")
	f("POST", "/mcp", 70, nil, call, "POST /mcp#tools/call/search")
	f("POST", "/mcp", 70, js("content-encoding", "identity"), call, "POST /mcp#tools/call/search")

	// What cannot be read is the path's own route.
	f("POST", "/mcp", 70, js(), "\xff\xfe{\x00", "POST /mcp")
	f("POST", "/mcp", 0, js(), call, "POST /mcp")
	f("POST", "/mcp", route.MaxBody+1, js(), call, "POST /mcp")
	f("POST", "/mcp", -1, js(), `{"pad":"`+strings.Repeat("x", route.MaxBody)+`",`+call[1:], "POST /mcp")
	f("POST", "/mcp", 70, js("content-encoding", "gzip"), call, "POST /mcp")
	f("POST", "/mcp", 70, js("upgrade", "h2c"), call, "POST /mcp")
	f("POST", "/graphql?query={orders}", route.MaxBody+1, js(), "", "POST /graphql") // the query may be a decoy
	f("PUT", "/mcp", 70, js(), call, "PUT /mcp")
	f("POST", "/v1/export", 70, js("mcp-protocol-version", "2025-11-25"), call, "POST /v1/export")

	ex := &Exchange{Method: []byte("POST"), Path: []byte("/v1/orders?x=1"), Headers: js(), RequestBytes: 70}
	if n := testing.AllocsPerRun(100, func() { w.scorer.OperationInBody(ex) }); n != 0 {
		t.Errorf("%v allocations for another request", n)
	}
}
