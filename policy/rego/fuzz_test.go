package rego

import (
	"net/url"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/scoring"
)

// FuzzRequest: a policy that names what it reads of path, query and headers
// sees what one that takes the whole sees, as much of it as is bounded; and
// where net/url can read a query, both read the same.
func FuzzRequest(f *testing.F) {
	f.Add("/v1/orders/17?limit=10&limit=20&a=%41+b", "x-a", "1", "2")
	f.Add("//%2f/%zz/?&=&==&%=%&a;b=c?d#e", "", "\xff", "")
	f.Add("/"+strings.Repeat("/x", 300)+"?"+strings.Repeat("a&", 300), ":path", "a", "b")
	f.Fuzz(func(t *testing.T, path, name, one, two string) {
		ex := &scoring.Exchange{Path: []byte(path), Headers: []scoring.Header{
			{Name: []byte(name), Value: []byte(one)}, {Name: []byte("accept"), Value: []byte("a")}, {Name: []byte(name), Value: []byte(two)},
		}}
		v := &view{ex: ex}
		parameters := agree(t, v, allQuery(v), queryValue)
		if len(parameters) > maxParts {
			t.Errorf("%d parameters", len(parameters))
		}
		headers := agree(t, v, allHeaders(v), headerValue)
		if want := one + "," + two; name != "" && name[0] != ':' && name != "accept" && headers[name] != want {
			t.Errorf("header %q is %q, want %q", name, headers[name], want)
		}
		all := segments(v).Value.(*ast.Array)
		if n := all.Len(); n > min(maxParts, len(path)) {
			t.Errorf("%d segments in %q", n, path)
		}
		for i := range all.Len() + 1 {
			want, got := (*ast.Term)(nil), segment(i).term(v)
			if i < all.Len() {
				want = all.Elem(i)
			}
			if ast.Compare(got, want) != 0 {
				t.Errorf("segment %d is %v alone, %v in the whole", i, got, want)
			}
		}

		_, query, _ := strings.Cut(path, "?")
		values, err := url.ParseQuery(query)
		if err != nil || strings.Count(query, "&") >= maxParts {
			return // not everybody's query, or more than is read
		}
		if len(values) != len(parameters) {
			t.Errorf("%q: %d parameters, net/url has %d", query, len(parameters), len(values))
		}
		for n, all := range values {
			if want := strings.Join(all, ","); parameters[n] != want {
				t.Errorf("%q: parameter %q is %q, net/url has %q", query, n, parameters[n], want)
			}
		}
	})
}

// agree returns an object of strings, after asking for each of its members by
// name.
func agree(t *testing.T, v *view, whole *ast.Term, one func(string) source) map[string]string {
	t.Helper()
	got := map[string]string{}
	whole.Value.(ast.Object).Foreach(func(k, value *ast.Term) {
		name := string(k.Value.(ast.String))
		got[name] = string(value.Value.(ast.String))
		if alone := one(name).term(v); alone == nil || alone.Value.Compare(value.Value) != 0 {
			t.Errorf("%q is %v by its name, %v in the whole", name, alone, value)
		}
	})
	return got
}
