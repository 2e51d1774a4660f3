package route

import (
	"slices"
	"strings"
)

// maxOperation is how much of an operation's name is kept, in bytes.
const maxOperation = 96

// MatchOperation is Match where the operation is known: the route is
// "POST /graphql#GetOrders", a route of its own with its own population. Where a
// client invents hundreds of operations, the rest becomes "POST /graphql#{id}"
// as words of a path do; Operation tells them apart even so.
//
// Only paths that carry operations take one (Carries): what a client writes into
// the body of another request must not rename its route, and so take it out of
// a policy's sight.
func (t *Table) MatchOperation(method, path, operation []byte) Match {
	v := t.view.Load()
	var b template
	b.build(method, path, v.guide)
	if len(operation) == 0 || !carries(b.name[:b.length]) {
		return t.look(v, &b, b.name[:b.length])
	}
	var room [maxName + 16 + len(operationMark) + 3*maxOperation]byte
	name := append(append(room[:0], b.name[:b.length]...), operationMark...)
	from := len(name)
	name = appendOperation(name, operation[:min(len(operation), maxOperation)])
	folded := false
	if g := b.end.after(operationMark); g != nil {
		if p, _ := g.step(name[from:], piece{}); p.placeholder != word {
			folded = true
		}
	}
	if folded {
		written := string(name[from:])
		m := t.look(v, &b, append(name[:from], id...))
		m.Operation = written
		return m
	}
	m := t.look(v, &b, name)
	if _, known, ok := strings.Cut(m.Name, operationMark); ok {
		m.Operation = known
	} else {
		m.Operation = string(name[from:]) // the table is full
	}
	return m
}

// appendOperation escapes what does not print in a name, or would be read as a
// part of it.
func appendOperation(name, operation []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range operation {
		if plain(c) && c != '#' && c != '%' {
			name = append(name, c)
			continue
		}
		name = append(name, '%', digits[c>>4], digits[c&15])
	}
	return name
}

// carriers are the last words of paths that carry operations, a version or an
// extension behind them aside.
var carriers = []string{"graphql", "gql", "rpc", "jsonrpc", "json-rpc", "mcp"}

// Carries says whether the operation of a request is in its body, or its query:
// a path that ends with graphql, gql, rpc, jsonrpc, json-rpc or mcp.
func Carries(path []byte) bool {
	var b template
	b.build(nil, path, nil)
	return carries(b.name[:b.length])
}

// Carries is Carries of the match's path.
func (m *Match) Carries() bool { return carries(m.Name) }

// carries is Carries for a name without an operation.
func carries[T string | []byte](name T) bool {
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

func isCarrier[T string | []byte](segment T) bool {
	if len(segment) < 3 || len(segment) > len("graphql.abcde") {
		return false
	}
	if dot := extension([]byte(segment)); dot > 0 {
		segment = segment[:dot]
	}
	return slices.ContainsFunc(carriers, func(c string) bool { return sameName([]byte(segment), c) })
}

// GRPC is the operation of a gRPC request, by its route's name:
// "shop.v1.Orders/Get" of "POST /shop.v1.Orders/Get" (gRPC over HTTP/2,
// Path -> "/" Service-Name "/" method name).
func GRPC(name string) string {
	_, path, ok := strings.Cut(name, " /")
	if !ok || strings.Count(path, "/") == 0 {
		return ""
	}
	return path
}
