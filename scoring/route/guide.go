package route

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// guide says what a segment is where its shape does not decide. It is a tree
// of the paths that somebody has something to say about, immutable once it is
// built, so that readers walk it without a lock; beyond it shapes decide.
//
//	next["orders"]    a word here, whatever its shape or fold
//	next["{id}"]      what follows a placeholder
//	next["{id}.pdf"]  the same, with what stands around it in the description
//	fold              any other word here is a placeholder, but for conventional ones
//	param             any other word is: the description says so
type guide struct {
	next   map[string]*guide
	around []around // of the placeholders with text around them, the longest first
	fold   bool
	param  bool

	carries bool // operations: the path that ends here (Carry)
	any     bool // of the root: some path does
}

// carriers says whether the guide knows of paths that carry operations.
func (g *guide) carriers() bool { return g != nil && g.any }

// around is what stands before and behind a placeholder in its segment, as in
// "{id}:cancel".
type around struct{ prefix, suffix string }

// step says what a segment is, given what its shape says, and where its
// successor is looked up; nil: the guide knows no more.
//
// A placeholder by shape keeps the name that its shape gives: neither a
// description nor what is learned renames what has a name already.
func (g *guide) step(text []byte, p piece) (piece, *guide) {
	if next := g.next[string(text)]; next != nil {
		return piece{}, next
	}
	if p.placeholder == word {
		if p = g.placeholder(text); p.placeholder == word {
			return p, nil
		}
	}
	if p.prefix+p.suffix > 0 {
		var room [2*maxWord + len(date)]byte
		name := append(room[:0], text[:p.prefix]...)
		name = append(name, p.placeholder...)
		name = append(name, text[len(text)-p.suffix:]...)
		if next := g.next[string(name)]; next != nil {
			return p, next
		}
	} else if next := g.next[p.placeholder]; next != nil {
		return p, next
	}
	return p, g.next[id]
}

// placeholder is what a word may be here besides a word.
func (g *guide) placeholder(text []byte) piece {
	for _, a := range g.around {
		if n := len(a.prefix) + len(a.suffix); len(text) > n &&
			string(text[:len(a.prefix)]) == a.prefix && string(text[len(text)-len(a.suffix):]) == a.suffix {
			return piece{id, len(a.prefix), len(a.suffix)}
		}
	}
	if g.param || g.fold && !conventional(text) {
		return piece{placeholder: id}
	}
	return piece{}
}

// conventional are words that stand beside ids in many APIs, /users/me beside
// /users/alice. They stay words where others are folded, seen before or not.
func conventional(text []byte) bool {
	switch string(text) {
	case "me", "self", "current", "new", "all", "latest", "search", "count", "batch", "bulk", "export", "import":
		return true
	}
	return false
}

// after is what the guide knows behind a segment of a name.
func (g *guide) after(segment string) *guide {
	if g == nil {
		return nil
	}
	if next := g.next[segment]; next != nil || !strings.Contains(segment, "{") {
		return next
	}
	return g.next[id]
}

// add makes sure that the guide knows a path of names ("/v1/tenants/{id}") and
// returns where it ends.
func (g *guide) add(path string) *guide {
	for segment := range segments(path) {
		if segment == "*" {
			break
		}
		g = g.child(segment)
	}
	return g
}

// child makes sure of one segment.
func (g *guide) child(segment string) *guide {
	next := g.next[segment]
	if next == nil {
		if g.next == nil {
			g.next = map[string]*guide{}
		}
		next = new(guide)
		g.next[segment] = next
	}
	return next
}

// describe adds a path of the description, whose placeholders are parameters,
// and returns where it ends.
func (g *guide) describe(path string) *guide {
	for segment := range segments(path) {
		g.surround(segment)
		g = g.child(segment)
	}
	return g
}

// surround takes a segment for a parameter, if it is one.
func (g *guide) surround(segment string) {
	prefix, rest, ok := strings.Cut(segment, "{")
	_, suffix, closed := strings.Cut(rest, "}")
	a := around{prefix, suffix}
	switch {
	case !ok || !closed || slices.Contains(g.around, a):
		return
	case a == around{}:
		g.param = true
		return
	}
	g.around = append(g.around, a)
	slices.SortFunc(g.around, func(a, b around) int {
		return cmp.Or(cmp.Compare(len(b.prefix+b.suffix), len(a.prefix+a.suffix)), strings.Compare(a.prefix, b.prefix))
	})
}

// rename is the name that a route has under this guide: what has been folded
// since is replaced. It is idempotent.
func (g *guide) rename(name string) string {
	if g == nil {
		return name
	}
	method, path, _ := strings.Cut(name, " ")
	return method + " " + g.renamePath(path)
}

func (g *guide) renamePath(path string) string {
	var b strings.Builder
	for s := range segments(path) {
		if b.Len() == 0 || s != operationMark && !strings.HasSuffix(b.String(), operationMark) {
			b.WriteByte('/') // before the mark, too, of an operation of the root
		}
		var p piece
		switch {
		case g == nil || s == "*":
		case s == operationMark || strings.Contains(s, "{"): // a placeholder already
			g = g.after(s)
		default:
			p, g = g.step([]byte(s), piece{})
		}
		if p.placeholder != word {
			s = s[:p.prefix] + p.placeholder + s[len(s)-p.suffix:]
		}
		b.WriteString(s)
	}
	if b.Len() == 0 && path != "" {
		return "/" // the root, where "" is the place above it
	}
	return b.String()
}

// operationMark stands between a path and its operation.
const operationMark = "#"

// segments are those of a path in a name; an operation follows as one, behind
// its mark: "v1", "graphql", "#", "GetOrders".
func segments(path string) iter.Seq[string] {
	path, operation, carries := strings.Cut(path, operationMark)
	return func(yield func(string) bool) {
		for s := range strings.SplitSeq(path, "/") {
			if s != "" && !yield(s) {
				return
			}
		}
		if carries && yield(operationMark) && operation != "" {
			yield(operation)
		}
	}
}
