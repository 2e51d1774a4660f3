package rego

import (
	"math"
	"regexp"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// another stands for every string that no demand speaks of.
const another = ast.String("\x00")

// candidates are values of which one meets the demands if any does.
func (l *leaf) candidates(all []demand) (values []ast.Value, known bool) {
	switch l.source.(type) {
	case flag:
		return []ast.Value{ast.Boolean(true), ast.Boolean(false)}, true
	case count:
		return l.numbers(all, true), true
	case decimal:
		return l.numbers(all, false), true
	case text, word:
	default:
		return nil, false
	}
	if l.words != nil {
		for _, w := range l.words {
			values = append(values, ast.String(w))
		}
		return values, true
	}
	values = append(values, another)
	form := regexp.MustCompile(l.form)
	for _, d := range all {
		for _, s := range d.strings() {
			if form.MatchString(s) {
				values = append(values, ast.String(s))
			}
		}
	}
	return values, true
}

// numbers are the constants, what lies between them, and the ends.
func (l *leaf) numbers(all []demand, whole bool) (values []ast.Value) {
	most := l.most
	if most == 0 {
		most = 1 << 53
	}
	ends := []float64{0, most}
	note := func(v ast.Value) {
		if n, ok := v.(ast.Number); ok {
			if f, ok := n.Float64(); ok && f >= 0 && f <= most {
				ends = append(ends, f)
			}
		}
	}
	for _, d := range all {
		for _, v := range d.of {
			note(v)
			if d.op == "internal.member_2" {
				eachMember(v, note)
			}
		}
	}
	slices.Sort(ends)
	for i, end := range ends {
		for _, f := range []float64{end, (end + ends[max(i-1, 0)]) / 2} {
			if !whole || f == math.Trunc(f) {
				values = append(values, number(f).Value)
			} else {
				values = append(values, number(math.Floor(f)).Value, number(math.Ceil(f)).Value)
			}
		}
	}
	return values
}

// holds answers whether the demand is met by v. What is not known holds.
func (d *demand) holds(v ast.Value) bool {
	if d.op == condition {
		return v.Compare(ast.Boolean(false)) != 0
	}
	if d.op == "internal.member_2" && d.flipped {
		return true
	}
	return slices.ContainsFunc(d.of, func(c ast.Value) bool {
		order := v.Compare(c)
		if d.flipped {
			order = -order
		}
		_, isString := v.(ast.String)
		_, also := c.(ast.String)
		switch d.op {
		case "eq", "equal":
			return order == 0
		case "neq":
			return order != 0
		case "lt":
			return order < 0 || isString && also // there are strings between all strings
		case "lte":
			return order <= 0 || isString && also
		case "gt":
			return order > 0 || isString && also
		case "gte":
			return order >= 0 || isString && also
		case "internal.member_2":
			found := false
			eachMember(c, func(m ast.Value) { found = found || v.Compare(m) == 0 })
			return found
		}
		return true
	})
}
