package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// locate finds what err, from decoding root strictly, is about. The decoder
// stops at a type's own UnmarshalText without saying where, and knows no
// nearest key; so the tree is walked beside the types until the first mistake.
func locate(file string, root ast.Node, err error) error {
	if e := mistake(root, reflect.TypeFor[Config]()); e != nil {
		e.File = file
		return e
	}
	return syntax(file, err)
}

// syntax wraps an error of the YAML library that knows its own place.
func syntax(file string, err error) error {
	if y, ok := errors.AsType[yaml.Error](err); ok {
		e := &Error{File: file, Problem: y.GetMessage(), Allowed: "valid YAML, each key once"}
		if t := y.GetToken(); t != nil {
			e.Line = t.Position.Line
		}
		return e
	}
	return &Error{File: file, Problem: err.Error()}
}

// mistake returns the first value in n that does not fit t.
func mistake(n ast.Node, t reflect.Type) *Error {
	if t.Kind() == reflect.Pointer { // what may be left out
		t = t.Elem()
	}
	switch {
	case n == nil || n.Type() == ast.NullType || n.Type() == ast.AliasType:
		return nil
	case ownsText(t):
		return leaf(n, t)
	case t.Kind() == reflect.Struct:
		return inMapping(n, t)
	case t.Kind() == reflect.Slice:
		s, ok := n.(*ast.SequenceNode)
		if !ok {
			return &Error{Line: line(n), Problem: "a list is expected here, not a " + n.Type().YAMLName(), Allowed: "write it as [ … ] or as lines that begin with -"}
		}
		for _, v := range s.Values {
			if e := mistake(v, t.Elem()); e != nil {
				return e
			}
		}
		return nil
	}
	return leaf(n, t)
}

func inMapping(n ast.Node, t reflect.Type) *Error {
	known := keys(t)
	entries, ok := n.(ast.MapNode)
	if !ok {
		return &Error{Line: line(n), Problem: "keys and values are expected here, not a " + n.Type().YAMLName(),
			Allowed: "the keys here are " + strings.Join(names(known), ", ")}
	}
	for it := entries.MapRange(); it.Next(); {
		token := it.Key().GetToken()
		name := token.Value
		field, ok := known[name]
		if !ok {
			if name == "<<" {
				continue
			}
			return &Error{Line: token.Position.Line, Problem: fmt.Sprintf("unknown key %q", name), Allowed: nearest(name, names(known))}
		}
		if e := mistake(it.Value(), field); e != nil {
			e.Problem = about(name, e.Problem)
			return e
		}
	}
	return nil
}

// leaf decodes one value alone.
func leaf(n ast.Node, t reflect.Type) *Error {
	err := yaml.NodeToValue(n, reflect.New(t).Interface(), yaml.Strict())
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[yaml.Error](err); ok {
		return &Error{Line: line(n), Problem: fmt.Sprintf("%s is not %s", strings.TrimSpace(n.String()), expected(t)), Allowed: "write " + expected(t)}
	}
	problem, allowed := split(err.Error())
	return &Error{Line: line(n), Problem: problem, Allowed: allowed}
}

// split parts "what is wrong; what is allowed", or the same with a colon.
func split(message string) (problem, allowed string) {
	if problem, allowed, ok := strings.Cut(message, "; "); ok {
		return problem, allowed
	}
	if i := strings.LastIndex(message, ": "); i >= 0 {
		return message[:i], message[i+2:]
	}
	return message, ""
}

func expected(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number of 0 or more"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "text"
}

// ownsText says whether a type reads itself.
func ownsText(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[yaml.BytesUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[yaml.InterfaceUnmarshaler]())
}

// keys are the YAML keys of a struct.
func keys(t reflect.Type) map[string]reflect.Type {
	known := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if name != "-" && f.IsExported() {
			known[name] = f.Type
		}
	}
	return known
}

func names(known map[string]reflect.Type) []string {
	var all []string
	for name := range known {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// nearest names the key that was probably meant, or all there are.
func nearest(name string, known []string) string {
	if best := closest(name, known, 4); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "the keys here are " + strings.Join(known, ", ")
}

// closest is the name that fewer than so many letters turn into what was
// written, "" where there is none.
func closest(written string, names []string, letters int) (best string) {
	for _, name := range names {
		if d := levenshtein.ComputeDistance(written, name); d < letters && d < len(name) {
			best, letters = name, d
		}
	}
	return best
}
