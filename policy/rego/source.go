package rego

import (
	"math"
	"net/netip"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
)

// source is where one value of the input document comes from. OPA sees it as a
// term, nil where it is absent; the memo (key.go) reads the Go value itself. So
// both see one value, and what the memo knows of a field is its type here.
type source interface{ term(*view) *ast.Term }

type (
	// flag is true or false, and always there.
	flag func(*view) bool
	// count is a whole number; !ok: absent.
	count func(*view) (n int64, ok bool)
	// decimal is absent where it is no number.
	decimal func(*view) float64
	// text is a string, bytes as they came. It may stand in v.scratch: it holds
	// until the next text is read.
	text func(*view) (s []byte, ok bool)
	// place is an address; the zero Addr: absent.
	place func(*view) netip.Addr
	// word is a string that is always there.
	word func(*view) string
	// words is an array of strings.
	words func(*view) []string
	// tree is an array or an object.
	tree func(*view) *ast.Term
	// fixed is the same for every exchange; nil: absent.
	fixed struct{ t *ast.Term }
)

func (f flag) term(v *view) *ast.Term { return ast.InternedTerm(f(v)) }

func (f count) term(v *view) *ast.Term {
	n, ok := f(v)
	if !ok {
		return nil
	}
	return integer(n)
}

func (f decimal) term(v *view) *ast.Term { return number(f(v)) }

func (f text) term(v *view) *ast.Term {
	s, ok := f(v)
	if !ok {
		return nil
	}
	return str(string(s))
}

func (f place) term(v *view) *ast.Term {
	a := f(v)
	if !a.IsValid() {
		return nil
	}
	return str(a.String())
}

func (f word) term(v *view) *ast.Term { return str(f(v)) }

func (f words) term(v *view) *ast.Term {
	all := f(v)
	terms := make([]*ast.Term, len(all))
	for i, s := range all {
		terms[i] = str(s)
	}
	return ast.ArrayTerm(terms...)
}

func (f tree) term(v *view) *ast.Term { return f(v) }

func (f fixed) term(*view) *ast.Term { return f.t }

func str(s string) *ast.Term { return ast.InternedTerm(s) }

func integer(n int64) *ast.Term {
	if n >= -1 && n <= 512 {
		return ast.InternedTerm(int(n))
	}
	return ast.NewTerm(ast.Number(strconv.FormatInt(n, 10)))
}

// number is absent where it is none: OPA's numbers are JSON's.
func number(f float64) *ast.Term {
	if !finite(f) {
		return nil
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return integer(int64(f))
	}
	return ast.FloatNumberTerm(f)
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
