package route

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

// What was learned, as text, so that it can be read and mended:
//
//	wonted routes 1
//	fold /v1/tenants            the words behind /v1/tenants are {id} ...
//	fold /v1/users root sync    ... these stay words
//	route 255 GET /v1/orders    accepted requests, of the first 255
//	end                         nothing is missing
//
// A fold of operations is one of "/graphql#".
const (
	memoryHead = "wonted routes 1"
	memoryEnd  = "end"
)

// ErrMemory is wrapped by Load where the text is not what Save wrote.
var ErrMemory = errors.New("not what was learned about routes")

// Save returns what was learned: at most about a megabyte.
func (t *Table) Save() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := []byte(memoryHead + "\n")
	for _, f := range t.folds {
		b = fmt.Appendf(b, "fold %s\n", strings.Join(append([]string{f.path + "/"}, f.keep...), " "))
	}
	for _, e := range t.routes {
		b = fmt.Appendf(b, "route %d %s\n", e.seen(), e.name)
	}
	return append(b, memoryEnd+"\n"...)
}

// Load takes up what Save wrote, and adds it to what the table knows. An error
// wraps ErrMemory, and the table is as it was.
func (t *Table) Load(text []byte) error {
	var folds []fold
	var routes []*entry
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if lines[0] != memoryHead {
		return fmt.Errorf("%w: it begins with %.40q, not with %q", ErrMemory, lines[0], memoryHead)
	}
	if len(lines) < 2 || lines[len(lines)-1] != memoryEnd {
		return fmt.Errorf("%w: it breaks off after %d lines", ErrMemory, len(lines))
	}
	for i, line := range lines[1 : len(lines)-1] {
		f, e, err := parseMemory(line)
		switch {
		case err != nil:
			return fmt.Errorf("%w: line %d: %w", ErrMemory, i+2, err)
		case e != nil:
			routes = append(routes, e)
		default:
			folds = append(folds, f)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(folds)+len(t.folds) > maxFolds || len(routes)+len(t.routes) > MaxRoutes {
		return fmt.Errorf("%w: %d folds and %d routes are more than fit", ErrMemory, len(folds), len(routes))
	}
	t.folds = append(t.folds, folds...)
	t.routes = append(t.routes, routes...)
	t.rebuild()
	return nil
}

func parseMemory(line string) (f fold, e *entry, err error) {
	if len(line) > 2*maxName+maxKept*(3*maxOperation+1) || bytes.IndexFunc([]byte(line), func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return f, nil, errors.New("it is too long, or not printable")
	}
	words := strings.Split(line, " ")
	switch {
	case words[0] == "fold" && len(words) >= 2 && isPath(words[1]) && strings.HasSuffix(words[1], "/"):
		for _, w := range words[2:] {
			if w == "" || strings.ContainsAny(w, "#{") || strings.Contains(w, "/") && !strings.HasSuffix(words[1], operationMark+"/") {
				return f, nil, fmt.Errorf("%.70q is no word of a path", w)
			}
		}
		return fold{strings.TrimSuffix(words[1], "/"), words[2:]}, nil, nil
	case words[0] == "route" && len(words) == 4 && isPath(words[3]):
		hits, err := strconv.ParseUint(words[1], 10, 8)
		if err != nil || methodIndex([]byte(words[2])) == len(methods) && words[2] != methodName(len(methods)) {
			break
		}
		name := words[2] + " " + words[3]
		e = &entry{id: routeID(xxh3.HashString(name)), name: name}
		e.hits.Store(uint32(hits))
		return f, e, nil
	}
	return f, nil, fmt.Errorf("%.70q is neither a fold nor a route", line)
}

// isPath holds for the path of a name, with its operation.
func isPath(s string) bool {
	path, _, _ := strings.Cut(s, operationMark)
	return len(s) <= maxName+3*maxOperation && strings.HasPrefix(path, "/") && !strings.Contains(path, "//")
}
