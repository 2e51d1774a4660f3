package route

import "strings"

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
func (t *Table) MatchOperation(method, path []byte, operation string) Match {
	v := t.view.Load()
	var b template
	b.build(method, path, v.guide)
	if len(operation) == 0 || !b.carries() {
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
func appendOperation(name []byte, operation string) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range []byte(operation) {
		if plain(c) && c != '#' && c != '%' {
			name = append(name, c)
			continue
		}
		name = append(name, '%', digits[c>>4], digits[c&15])
	}
	return name
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
