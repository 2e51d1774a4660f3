package envoy_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

const (
	toolCall   = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":%q,"arguments":{"q":"x"}}}`
	graphQuery = `{"operationName":"GetOrders","query":"query GetOrders { orders { id } }","variables":{}}`
	rpcCall    = `{"jsonrpc":"2.0","id":1,"method":"getBalance","params":["0xabc"]}`
)

// endpoint is an upstream that notes which requests began and which came whole.
type endpoint struct {
	mu           sync.Mutex
	began, whole map[string]int
	risk         map[string]string
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := r.URL.Query().Get("mark")
	e.note(&e.began, m)
	e.mu.Lock()
	if e.risk == nil {
		e.risk = map[string]string{}
	}
	e.risk[m] = r.Header.Get("x-risk")
	e.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err == nil {
		e.note(&e.whole, m)
	}
	w.Write(body)
}

func (e *endpoint) note(in *map[string]int, m string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if *in == nil {
		*in = map[string]int{}
	}
	(*in)[m]++
}

func (e *endpoint) saw(m string) (began, whole int, risk string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.began[m], e.whole[m], e.risk[m]
}

// send sends a call in a way of its own: declared, in chunks, or with trailers
// behind the chunks.
func (s *scene) send(c client, path, how, body string) answer {
	s.Helper()
	request, err := http.NewRequest(http.MethodPost, s.envoy.URL()+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("content-type", "application/json")
	if how != "declared" {
		half := len(body) / 2
		request.ContentLength, request.Body = -1, io.NopCloser(io.MultiReader(strings.NewReader(body[:half]), strings.NewReader(body[half:])))
	}
	if how == "trailers" {
		request.Trailer = http.Header{"X-End": {"1"}}
	}
	response, err := c.Do(request)
	if err != nil {
		s.Fatalf("POST %s, %s: %v", path, how, err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return answer{response, got, err}
}

// tape is what a recording says of operations, by mark.
type tape struct {
	Path, Operation, End string
	Status               int
}

func readTape(t testing.TB, path string) (all []tape) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var l tape
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// GraphQL, JSON-RPC and MCP by POST: each operation is a route of its own, in
// policy and recording, and one that is denied does not reach the upstream, or
// with its headers alone where Envoy could not hold it.
func TestOperationsAreRoutes(t *testing.T) {
	for _, depth := range []string{"headers", "adaptive"} {
		e := &endpoint{}
		file := filepath.Join(t.TempDir(), "r.jsonl")
		s := set(t, envoytest.Settings{Depth: depth, More: "record: {path: " + file + "}\nroutes: {operations: [/v1/call]}\n", Policy: rego(
			`deny contains "no" if input.request.route == "POST /mcp#tools/call/drop"`,
			`deny contains "no" if input.request.operation == "query/secrets"`,
			`deny contains "no" if input.request.route == "POST /v1/call#wipe"`,
			`deny contains "unreadable" if input.request.route == "POST /jsonrpc"`,
			`request_headers contains {"name": "x-risk", "value": input.request.operation} if input.request.operation != ""`,
		)}, func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, e) })
		type call struct {
			path, body, operation string
			status                int
		}
		calls := []call{
			{"/mcp", fmt.Sprintf(toolCall, "search"), "tools/call/search", 200},
			{"/mcp", fmt.Sprintf(toolCall, "drop"), "tools/call/drop", 403},
			{"/mcp", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, "notifications/initialized", 200},
			{"/graphql", graphQuery, "GetOrders", 200},
			{"/graphql", `{"query":"{ secrets { value } }"}`, "query/secrets", 403},
			{"/rpc", rpcCall, "getBalance", 200},
			{"/rpc", "[" + rpcCall + "," + rpcCall + "]", "getBalance", 200},
			{"/rpc", "[" + rpcCall + `,{"method":"wipe"}]`, "batch", 200},
			{"/v1/call", `{"method":"wipe"}`, "wipe", 403},
			{"/v1/other", `{"method":"wipe"}`, "", 200},
			{"/jsonrpc", `not JSON`, "", 403},
			{"/mcp", `{"pad":"` + strings.Repeat("x", 20<<10) + `","method":"tools/call","params":{"name":"drop"}}`, "tools/call/drop", 403},
			{"/mcp", `{"pad":"` + strings.Repeat("x", 1<<20) + `","method":"tools/call","params":{"name":"drop"}}`, "", 200},
			{"/jsonrpc", `{"pad":"` + strings.Repeat("x", 1<<20) + `","method":"ping"}`, "", 403},
		}
		sent := map[string]call{}
		streamed, begun := 0, 0 // of those that were denied
		for speaks, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
			for _, how := range []string{"declared", "chunked", "trailers"} {
				for i, r := range calls {
					m := mark()
					sent[m] = r
					name := fmt.Sprintf("%s, %s, %s: %s (%d)", depth, speaks, how, r.path, i)
					got := s.send(c, r.path+"?mark="+m, how, r.body)
					if got.StatusCode != r.status || r.status == 200 && string(got.body) != r.body {
						t.Errorf("%s: answered %d %.80q", name, got.StatusCode, got.body)
					}
					held := how == "declared" && len(r.body) <= 16<<10
					began, whole, risk := e.saw(m)
					if r.status != 200 && !held {
						streamed++
						begun += began
					}
					switch {
					case r.status == 200 && whole != 1:
						t.Errorf("%s: the upstream has got %d", name, whole)
					case r.status != 200 && whole != 0:
						t.Errorf("%s: it was denied and reached the upstream", name)
					case r.status != 200 && held && began != 0:
						t.Errorf("%s: its headers reached the upstream", name)
					case r.status == 200 && held && risk != r.operation:
						t.Errorf("%s: the policy's header is %q", name, risk)
					}
				}
			}
		}
		s.idle()
		s.undisturbed()
		t.Logf("%s: %d of %d denied calls that Envoy could not hold began at the upstream, and broke off there", depth, begun, streamed)
		s.wonted.Terminate()
		for _, l := range readTape(t, file) {
			_, m, _ := strings.Cut(l.Path, "mark=")
			r, ok := sent[m]
			if !ok || l.Operation != r.operation || l.End != "refused" && r.status != 200 {
				t.Errorf("%s: recorded as %+v, want %+v", depth, l, r)
			}
			delete(sent, m)
		}
		if len(sent) > 0 {
			t.Errorf("%s: %d calls are not recorded", depth, len(sent))
		}
	}
}

const noDrop = `deny contains "no" if input.request.route == "POST /mcp#tools/call/drop"`

// A client that sends its call byte by byte, and one that goes away before it
// is complete, hold nobody up: the first is judged when it is complete, the
// second counts as a request whose operation nobody knows.
func TestOperationsThatComeSlowly(t *testing.T) {
	e := &endpoint{}
	s := set(t, envoytest.Settings{Depth: "adaptive", Policy: rego(noDrop)},
		func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, e) })
	call := fmt.Sprintf(toolCall, "drop")
	begin := func(m, framing string) net.Conn {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.envoy.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "POST /mcp?mark=%s HTTP/1.1\r\nhost: api\r\ncontent-type: application/json\r\n%s\r\n\r\n", m, framing)
		return conn
	}
	for _, chunked := range []bool{true, false} {
		framing, piece := fmt.Sprintf("content-length: %d", len(call)), "%s"
		if chunked {
			framing, piece = "transfer-encoding: chunked", "1\r\n%s\r\n"
		}
		m := mark()
		slow := begin(m, framing)
		for _, b := range call {
			fmt.Fprintf(slow, piece, string(b))
		}
		if chunked {
			io.WriteString(slow, "0\r\n\r\n")
		}
		got, err := http.ReadResponse(bufio.NewReader(slow), nil)
		if err != nil {
			t.Fatal(err)
		}
		if began, whole, _ := e.saw(m); got.StatusCode != http.StatusForbidden || whole > 0 || !chunked && began > 0 {
			t.Errorf("chunked %v: answered %d; %d have begun at the upstream, %d are whole", chunked, got.StatusCode, began, whole)
		}

		heads := s.metric("wonted_stream_messages_total", `kind="request_headers"`)
		half := begin(mark(), framing)
		for _, b := range call[:20] {
			fmt.Fprintf(half, piece, string(b))
		}
		envoytest.Eventually(t, "its headers have come", func() error {
			if s.metric("wonted_stream_messages_total", `kind="request_headers"`) == heads {
				return errors.New("not yet")
			}
			return nil
		})
		half.Close()
		s.idle()
	}
	s.ended(refused, 2)
	s.ended(unknown, 2)
	if n := s.metric("wonted_exchanges_total"); n != 4 {
		t.Errorf("%v of 4 requests were judged", n)
	}
	s.undisturbed()
}

// Where the filter lacks allow_mode_override, requests are judged at their
// headers by their path: all but the first, by which wonted finds out.
func TestOperationsWithoutOverrides(t *testing.T) {
	for _, response := range []extprocv3.ProcessingMode_HeaderSendMode{extprocv3.ProcessingMode_SKIP, extprocv3.ProcessingMode_SEND} {
		e := &endpoint{}
		s := setEdited(t, func(b *bootstrapv3.Bootstrap) {
			editManager(t, b, editProcessor(t, func(p *extprocv3.ExternalProcessor) {
				p.AllowModeOverride = false
				p.ProcessingMode.ResponseHeaderMode = response
			}))
		}, envoytest.Settings{Depth: "headers", Policy: rego(`deny contains "no" if input.request.route == "POST /mcp"`)},
			func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, e) })
		c := http1(t)
		f := func(want int) {
			t.Helper()
			if got := s.send(c, "/mcp?mark="+mark(), "declared", fmt.Sprintf(toolCall, "search")); got.StatusCode != want {
				t.Errorf("%v: answered %d, want %d", response, got.StatusCode, want)
			}
			s.idle()
		}
		if response == extprocv3.ProcessingMode_SKIP {
			f(http.StatusOK)
		} else {
			f(http.StatusForbidden) // by its path, though the upstream has answered it
		}
		before := s.metric("wonted_operation_requests_total", `result="missing"`)
		for range 3 {
			f(http.StatusForbidden)
		}
		if n := s.metric("wonted_operation_requests_total", `result="missing"`); before != 1 || n != 1 {
			t.Errorf("%v: %v, then %v were put off", response, before, n)
		}
		if n := s.metric("wonted_exchanges_total"); n != 4 {
			t.Errorf("%v: %v of 4 requests were judged", response, n)
		}
	}
}

// Envoy that buffers as little as is advised at an edge holds what it is asked
// to hold.
func TestOperationsAndSmallBuffers(t *testing.T) {
	e := &endpoint{}
	s := set(t, envoytest.Settings{Depth: "headers", Policy: rego(noDrop)}, func(o *envoy.Options) {
		o.Upstream, o.BufferBytes = envoytest.Serve(t, e), 32<<10
	})
	for speaks, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		for _, n := range []int{100, 16 << 10, 16<<10 + 1, 40 << 10, 64 << 10, 64<<10 + 1, 300 << 10} {
			for _, how := range []string{"declared", "chunked"} {
				for tool, status := range map[string]int{"drop": http.StatusForbidden, "search": http.StatusOK} {
					if n > 64<<10 {
						status = http.StatusOK // nobody knows what it asks for
					}
					m, body := mark(), fmt.Sprintf(toolCall, tool)
					body += strings.Repeat(" ", max(0, n-len(body)))
					got := s.send(c, "/mcp?mark="+m, how, body)
					if _, whole, _ := e.saw(m); got.StatusCode != status || whole != map[int]int{http.StatusOK: 1}[status] {
						t.Errorf("%s, %s, %d bytes, %s: answered %d, and %d came whole", speaks, how, n, tool, got.StatusCode, whole)
					}
				}
			}
		}
	}
	s.idle()
	s.undisturbed()
}

// What was recorded of live calls, replayed, is judged on the same routes, with
// the same scores.
func TestOperationsReplayed(t *testing.T) {
	e := &endpoint{}
	file := filepath.Join(t.TempDir(), "r.jsonl")
	s := set(t, envoytest.Settings{Depth: "headers", Mode: "shadow", More: "record: {path: " + file + "}\n", Policy: rego(
		`deny contains "everything is told of" if input.request.method == "POST"`,
	)}, func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, e) })
	c := http1(t)
	for i := range 24 {
		body := []string{fmt.Sprintf(toolCall, "search"), graphQuery, rpcCall, fmt.Sprintf(toolCall, fmt.Sprintf("tool-%c", 'a'+i))}[i%4]
		path := []string{"/mcp", "/graphql", "/rpc", "/mcp"}[i%4]
		s.wants(s.send(c, path+"?mark="+mark(), []string{"declared", "chunked"}[i/4%2], body), http.StatusOK)
	}
	s.ended(answered, 24)
	type verdict struct {
		ID, Route string
		Score     float64
	}
	live := map[string]verdict{}
	for _, line := range s.wonted.Log() {
		if id, ok := line["id"].(string); ok {
			live[id] = verdict{id, line["route"].(string), line["score"].(float64)}
		}
	}
	s.wonted.Terminate()
	command := exec.Command(envoytest.Build(t), "replay", "--output", "json", "--config", s.wonted.Config, file)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found, scored, routes := 0, 0, map[string]bool{}
	for line := range strings.Lines(string(out)) {
		var v verdict
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if v.ID == "" {
			continue // the summary
		}
		found++
		routes[v.Route] = true
		if v.Score > 0 {
			scored++
		}
		if was, ok := live[v.ID]; !ok || was != v {
			t.Errorf("replayed as %+v, and was %+v", v, was)
		}
	}
	for _, route := range []string{"POST /mcp#tools/call/search", "POST /graphql#GetOrders", "POST /rpc#getBalance", "POST /mcp#tools/call/tool-d"} {
		if !routes[route] {
			t.Errorf("nothing is judged on %s: %v", route, routes)
		}
	}
	if found != 24 || scored == 0 {
		t.Errorf("%d of 24 calls are replayed, %d of them with a score", found, scored)
	}
}
