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

// unfit is text that is not what Save wrote.
type unfit struct{ reason, text string }

func (e *unfit) Error() string { return e.text }

// Reason is one word, for the name under which the file is set aside.
func (e *unfit) Reason() string { return e.reason }

func bad(reason, format string, args ...any) error {
	return &unfit{reason, fmt.Sprintf(format, args...)}
}

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

// Load takes up what Save wrote, and adds it to what the table knows. Every error
// has a method Reason: the text is torn, foreign, or too large; the table is as
// it was then.
func (t *Table) Load(text []byte) error {
	var folds []fold
	var routes []*entry
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	switch head := lines[0]; {
	case head != memoryHead && strings.HasPrefix(memoryHead, string(text)), head == memoryHead && lines[len(lines)-1] != memoryEnd:
		return bad("torn", "it breaks off after %d lines", len(lines))
	case head != memoryHead:
		return bad("foreign", "it begins with %.40q, not with %q", head, memoryHead)
	}
	for i, line := range lines[1 : len(lines)-1] {
		f, e, err := parseMemory(line)
		switch {
		case err != nil:
			return bad("torn", "line %d: %v", i+2, err)
		case e != nil:
			routes = append(routes, e)
		default:
			folds = append(folds, f)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(folds)+len(t.folds) > maxFolds || len(routes)+len(t.routes) > MaxRoutes {
		return bad("large", "its %d folds and %d routes are more than fit", len(folds), len(routes))
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
