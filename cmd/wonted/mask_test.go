package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// No secret of a request is in what the decision log keeps, and what is masked
// is said; the same secret has the hash that it has in a recording.
func TestMask(t *testing.T) {
	r := recorded.NewRedactor([32]byte{1}, "x-customer")
	header := func(name, value string) scoring.Header {
		return scoring.Header{Name: []byte(name), Value: []byte(value)}
	}
	ex := &scoring.Exchange{
		Method: []byte("GET"), Scheme: []byte("https"), Host: []byte("SECRET1@api.example.com"),
		Path:    []byte("/v1/orders;jsessionid=SECRET2/7?api_key=SECRET3&page=2&next=https%3A%2F%2Fx%2F%3Ftoken%3DSECRET4"),
		Address: netip.MustParseAddr("192.0.2.7"),
		Headers: []scoring.Header{
			header("authorization", "Bearer SECRET5"), header("cookie", "session=SECRET6; theme=SECRET7"), header("x-api-key", "SECRET8"),
			header("x-customer", "SECRET9"), header("x-forwarded-access-token", "SECRETA"), header("x-odd/name~", "eyJhbGciOiJub25lSECRETB"),
			header("referer", "https://u:SECRETC@example.com/?token=SECRETD"), header("accept", "application/json"),
			header("user-agent", "curl/8 token=SECRETE"),
		},
	}
	ex.Route.Name = "GET /v1/orders"
	doc, err := rego.Document(&policy.Input{Exchange: ex})
	if err != nil {
		t.Fatal(err)
	}
	whole := map[string]any{"input": doc, "result": map[string]any{
		"action": "deny", "reason": "came from https://u:SECRETG@example.com/", "redirect": "/login?token=SECRETH",
		"request_headers": map[string]any{"authorization": "Bearer SECRETF", "x-risk": "low"},
		"metadata":        map[string]any{"auth": "Bearer SECRETISECRETI", "referer": "https://example.com/?token=SECRETJ", "tier": "high"},
		"rules":           []any{map[string]any{"rule": "plain", "reason": "too many"}, map[string]any{"rule": "quoting", "reason": "Bearer SECRETKSECRETK"}},
	}, "custom": map[string]any{"failed": "bad element https://example.com/?token=SECRETL", "shadow": []any{map[string]any{"rule": "x", "reason": "/a?api_key=SECRETM"}}}}
	masked := maskWith(r)(whole)
	text := string(must(json.Marshal(whole)))
	if strings.Contains(text, "SECRET") {
		t.Errorf("a secret is left: %s", text)
	}
	for _, want := range []string{"/v1/orders", "application/json", "192.0.2.7", "api.example.com", `"page":"2"`, `"x-risk":"low"`, `"tier":"high"`, `"reason":"too many"`, "Bearer ~", "theme=~",
		r.Header("x-api-key", "SECRET8")} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not left in %s", want, text)
		}
	}
	for _, want := range []string{"/input/request/headers/authorization", "/input/request/headers/x-api-key", "/input/request/headers/x-odd~1name~0",
		"/input/request/query/api_key", "/input/request/host", "/input/request/path", "/input/device/user_agent", "/result/request_headers/authorization",
		"/result/reason", "/result/redirect", "/result/metadata/auth", "/result/metadata/referer", "/result/rules/1/reason", "/custom/failed", "/custom/shadow/0/reason"} {
		if !slices.Contains(masked, want) {
			t.Errorf("%s is masked and not said: %v", want, masked)
		}
	}
	for _, not := range []string{"/input/request/headers/accept", "/input/request/query/page", "/result/request_headers/x-risk", "/result/metadata/tier", "/result/rules/0/reason"} {
		if slices.Contains(masked, not) {
			t.Errorf("%s is said to be masked", not)
		}
	}
	maskWith(r)(map[string]any{"input": nil, "result": fmt.Sprint(1)}) // nothing to find is no mistake
}
