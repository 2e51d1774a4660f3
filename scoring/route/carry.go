package route

import (
	"fmt"
	"slices"
	"strings"
)

// carriers are the last words of paths that carry operations, a version or an
// extension behind them aside.
var carriers = []string{"graphql", "gql", "rpc", "jsonrpc", "json-rpc", "mcp"}

// Carries says whether the operation of a request is in its body, or its query:
// a path that ends with graphql, gql, rpc, jsonrpc, json-rpc or mcp, or one that
// Carry has named.
func (t *Table) Carries(path []byte) bool {
	v := t.view.Load()
	if !v.guide.carriers() && isPlain(path) {
		return carries(beforeQuery(path))
	}
	var b template
	b.build(nil, path, v.guide)
	return b.carries()
}

// isPlain says whether a path's words stand there as a name has them, so that no
// name need be made.
func isPlain(path []byte) bool {
	if len(path) == 0 || path[0] != '/' {
		return false
	}
	last := byte(0)
	for _, c := range path {
		switch {
		case c == '?' || c == '#':
			return last != '/'
		case c == '%' || c == ';' || last == '/' && (c == '/' || c == '.'):
			return false
		}
		last = c
	}
	return last != '/'
}

// Carry names further paths that carry operations: "/v1/call",
// "/tenants/{tenant}/call". An error names the path, and the table is as it was.
func (t *Table) Carry(paths []string) error {
	var names []string
	for _, path := range paths {
		name, err := normalise(path)
		if err != nil || strings.ContainsAny(path, "?#*") {
			return fmt.Errorf("%q is no path of an endpoint: write it whole, like /v1/call or /tenants/{tenant}/call", path)
		}
		names = append(names, name)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(names)+len(t.carried) > maxCarried {
		return fmt.Errorf("%d paths are more than fit: at most %d", len(names)+len(t.carried), maxCarried)
	}
	t.carried = append(t.carried, names...)
	t.rebuild()
	return nil
}

// maxCarried bounds what Carry names.
const maxCarried = 64

// carries says whether the path that was built carries operations.
func (b *template) carries() bool {
	return b.end != nil && b.end.carries || carries(b.name[:b.length])
}

// carries is Carries for a name without an operation.
func carries(name []byte) bool {
	for range 2 {
		i := len(name) - 1
		for i >= 0 && name[i] != '/' {
			i--
		}
		if i < 0 {
			return false
		}
		last := name[i+1:]
		if len(last) > 1 && last[0]|0x20 == 'v' && isDigit(last[1]) {
			name = name[:i]
			continue
		}
		return isCarrier(last)
	}
	return false
}

func isCarrier(segment []byte) bool {
	if len(segment) < 3 || len(segment) > len("graphql.abcde") {
		return false
	}
	if dot := extension(segment); dot > 0 {
		segment = segment[:dot]
	}
	return slices.ContainsFunc(carriers, func(c string) bool { return sameName(segment, c) })
}
