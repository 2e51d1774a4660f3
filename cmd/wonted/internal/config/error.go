package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Error is one mistake in a configuration.
type Error struct {
	File    string
	Line    int    // 0: the file as a whole, or a flag
	Flag    string // the flag that brought the value, instead of a file
	Problem string
	Allowed string // what to write instead
}

func (e *Error) Error() string {
	switch {
	case e.Flag != "":
		return fmt.Sprintf("%s: %s", e.Flag, e.Problem)
	case e.Line > 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Problem)
}

// Hint says what is allowed.
func (e *Error) Hint() string { return e.Allowed }

// source knows where each value came from.
type source struct {
	file  string
	tree  *ast.File
	flags map[string]string // key -> flag
}

// fault is a mistake in the value of a key; split says where in message what is
// allowed begins.
func (s source) fault(key, message string) *Error {
	problem, allowed := split(message)
	if flag := s.flags[key]; flag != "" {
		return &Error{Flag: flag, Problem: problem, Allowed: allowed}
	}
	return &Error{File: s.file, Line: s.line(key), Problem: about(key, problem), Allowed: allowed}
}

// about puts the key in front of a problem that does not mention it.
func about(key, problem string) string {
	key = key[strings.LastIndexByte(key, '.')+1:]
	name, _, _ := strings.Cut(key, "[")
	if strings.Contains(problem, name) || strings.Contains(problem, strings.ReplaceAll(name, "_", " ")) {
		return problem
	}
	return name + ": " + problem
}

// has says whether the file sets key.
func (s source) has(key string) bool { return s.line(key) > 0 }

// line finds a dotted key (with [n] for elements) in the file; 0: not there.
func (s source) line(key string) int {
	if s.tree == nil || body(s.tree) == nil {
		return 0
	}
	path, err := yaml.PathString("$." + key)
	if err != nil {
		return 0
	}
	node, err := path.FilterFile(s.tree)
	if err != nil || node == nil {
		return 0
	}
	return line(node)
}

func line(n ast.Node) int {
	if d, ok := n.(*ast.DocumentNode); ok {
		if d.Body == nil {
			return 0
		}
		n = d.Body
	}
	t := n.GetToken()
	// A block mapping's own token is the colon of its first entry.
	if t == nil || t.Position == nil {
		return 0
	}
	return t.Position.Line
}
