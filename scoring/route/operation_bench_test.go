package route

import (
	"fmt"
	"strings"
	"testing"
)

// What a client can make long, at lengths of which each is four times the one
// before: bytes a second fall where reading is worse than linear.
func BenchmarkOperation(b *testing.B) {
	const js, document, form = "application/json", "application/graphql", "application/x-www-form-urlencoded"
	for _, shape := range []struct{ name, contentType, begin, again, end string }{
		{"document", js, `{"query":"query A {`, ` a(x: {y: \"z\"}) { b }`, `}"}`},
		{"escapes", js, `{"query":"`, `\u0020`, `{a}"}`},
		{"backslashes", js, `{"query":"`, `\\`, `"}`},
		{"quotes", js, `{"query":"`, `\"`, `"}`},
		{"open quotes", js, `{`, `"`, ``},
		{"keys", js, `{`, `"a":1,`, `"method":"m"}`},
		{"same keys", js, `{`, `"method":"m",`, `"method":"m"}`},
		{"nested", js, `{"a":`, `[`, ``},
		{"nested params", js, `{`, `"params":{`, ``},
		{"batch", js, `[`, `{"method":"m"},`, `]`},
		{"batch of documents", js, `[`, `{"query":"{a}"},`, `]`},
		{"blanks", document, ``, " ,\ufeff", `{a}`},
		{"comments", document, ``, "#\n", `{a}`},
		{"comments in a selection", document, `{`, "#\n", `a}`},
		{"fragments", document, ``, `fragment F on T {a} `, `{a}`},
		{"directives", document, `query A `, `@a(b: "{") `, `{a}`},
		{"strings", document, `{`, `"" `, `}`},
		{"block strings", document, `{`, `"""`, ``},
		{"braces", document, ``, `{`, ``},
		{"names", document, `query `, `a`, `{a}`},
		{"form", form, ``, `a=b&`, `query={a}`},
		{"form of documents", form, ``, `query=%7Ba%7D&`, ``},
	} {
		for _, size := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10} {
			body := []byte(shape.begin + strings.Repeat(shape.again, (size-len(shape.begin)-len(shape.end))/len(shape.again)) + shape.end)
			b.Run(fmt.Sprintf("%s/%dKiB", shape.name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					Operation([]byte(shape.contentType), body)
				}
			})
		}
	}
}

// Paths that are long: what is left of them in a name is bounded.
func BenchmarkMatchOperation(b *testing.B) {
	table := New()
	for _, size := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10} {
		for _, again := range []string{"a", "a/", "/", "%41", "ab/1/"} {
			path := []byte("/" + strings.Repeat(again, size/len(again)) + "/graphql")
			b.Run(fmt.Sprintf("%s/%dKiB", strings.ReplaceAll(again, "/", "|"), size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(path)))
				for b.Loop() {
					table.MatchOperation([]byte("POST"), path, "GetOrders")
				}
			})
		}
	}
}
