package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// maxSaid bounds the names of Keep.
const maxSaid = 1024

// Described is one operation of an API's description.
type Described struct {
	Method string // "GET"
	Path   string // with the server's base path: "/v1/orders/{orderId}", "/v1/orders/{orderId}:cancel"
}

// Seed takes up the API's description: its words are words whatever their
// shape, and its parameters placeholders. They are called {id}, as those found
// by shape are, and what has a name by its shape keeps it: policies, recordings
// and profiles from before the description hold.
//
// A word goes before a parameter, as OpenAPI has it, segment by segment and
// without going back: with /a/{x}/b and /a/c/d, /a/c/b is not the first of them.
//
// An error names the operation, and the table is as it was.
func (t *Table) Seed(described []Described) error {
	var names []string
	for _, d := range described {
		path, err := normalise(d.Path)
		if err != nil {
			return fmt.Errorf("%s %s: %w", d.Method, d.Path, err)
		}
		name := methodName(methodIndex([]byte(d.Method))) + " " + path
		if len(name) > maxName {
			return fmt.Errorf("%s %s: longer than %d bytes", d.Method, d.Path, maxName)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(names)+len(t.seeds) > MaxRoutes/2 {
		return fmt.Errorf("%d operations are more than fit: at most %d", len(names), MaxRoutes/2)
	}
	t.seeds = append(t.seeds, names...)
	t.rebuild()
	v := t.view.Load()
	for _, name := range names {
		if hash := xxh3.HashString(name); v.find(hash, []byte(name)) == nil && !t.full.Load() {
			t.add(v, &entry{id: routeID(hash), name: name})
		}
	}
	return nil
}

// Keep takes the names of routes that a policy reads. Their words stay words,
// also where they had become values: a policy about "GET /v1/users/export" must
// not lose its route because /v1/users/alice and many others have become
// "GET /v1/users/{id}". It replaces the names of the last call.
func (t *Table) Keep(names []string) {
	var kept []string
	for _, name := range names {
		method, path, _ := strings.Cut(name, " ")
		if methodIndex([]byte(method)) < len(methods) && isPath(path) && len(kept) < maxSaid {
			kept = append(kept, name)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.Equal(kept, t.kept) {
		return
	}
	t.kept = kept
	t.rebuild()
}

// normalise gives a described path the form that Match gives to requests.
func normalise(path string) (string, error) {
	if !strings.HasPrefix(path, "/") {
		return "", fmt.Errorf("a path begins with /")
	}
	var out []string
	for segment := range strings.SplitSeq(path, "/") {
		prefix, rest, param := strings.Cut(segment, "{")
		if !param {
			if segment = plainSegment(segment); segment != "" {
				out = append(out, segment)
			}
			continue
		}
		last := strings.LastIndexByte(rest, '}') // "{a}-{b}" is one placeholder
		if last < 0 {
			return "", fmt.Errorf("%q: a { without its }", segment)
		}
		out = append(out, plainSegment(prefix)+id+plainSegment(rest[last+1:]))
	}
	if len(out) > maxSegments {
		return "", fmt.Errorf("more than %d segments", maxSegments)
	}
	return "/" + strings.Join(out, "/"), nil
}

// plainSegment is a segment as split would leave it.
func plainSegment(s string) string {
	var b template
	b.split([]byte(s))
	if b.n == 0 {
		return ""
	}
	return string(b.decoded[b.segments[0].from:b.segments[0].to])
}
