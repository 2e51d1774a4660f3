package rego

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// The values of input that are put together rather than read.

func operation(v *view) ([]byte, bool) {
	v.scratch = append(v.scratch[:0], v.ex.Route.Operation...)
	return filled(v.scratch)
}

// filled is absent when empty.
func filled(b []byte) ([]byte, bool) { return b, len(b) > 0 }

// known is absent below least: not known, or not yet.
func known(n, least int64) (int64, bool) { return n, n >= least }

// Severity puts a score into words, by its distance from the threshold in
// powers of ten: "none", "low" (within one below), "medium", "high" (from two
// above), "critical" (from four above).
func Severity(a *scoring.Assessment) string {
	switch over := a.Score - a.Threshold; {
	case !a.Anomalous && over < -1:
		return "none"
	case !a.Anomalous:
		return "low"
	case over >= 4:
		return "critical"
	case over >= 2:
		return "high"
	}
	return "medium"
}

func identityKind(v *view) ([]byte, bool) {
	v.scratch = append(v.scratch[:0], v.who.Kind.String()...)
	return filled(v.scratch)
}

func cohort(v *view) ([]byte, bool) {
	v.scratch = append(v.scratch[:0], v.a.Cohort...)
	return filled(v.scratch)
}

func authAge(v *view) (int64, bool) {
	if v.ex.AuthTime == 0 {
		return 0, false
	}
	return max(0, v.in.Now.Unix()-v.ex.AuthTime), true // the issuer's clock may be ahead
}

func risk(v *view) float64 {
	if v.a.Cohort == "" {
		return math.NaN()
	}
	return v.a.Risk
}

func exchangeID(v *view) ([]byte, bool) {
	v.scratch = hex.AppendEncode(v.scratch[:0], v.ex.ID[:])
	return v.scratch, true
}

// hash writes a key as policy.Hash does.
func hash(v *view, id *scoring.Identity) ([]byte, bool) {
	if id.Key == (profile.Key{}) {
		return nil, false
	}
	var k [16]byte
	binary.BigEndian.PutUint64(k[:8], id.Key.Hi)
	binary.BigEndian.PutUint64(k[8:], id.Key.Lo)
	v.scratch = hex.AppendEncode(v.scratch[:0], k[:])
	return v.scratch, true
}

func network(v *view) ([]byte, bool) {
	a := v.ex.Address.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	if !p.IsValid() {
		return nil, false
	}
	v.scratch = p.AppendTo(v.scratch[:0])
	return v.scratch, true
}

func split(ex *scoring.Exchange) (path, query []byte) {
	path, query, _ = bytes.Cut(ex.Path, []byte("?"))
	return path, query
}

// maxParts bounds what a hostile path can make us build.
const maxParts = 256

func segments(v *view) *ast.Term {
	path, _ := split(v.ex)
	var terms []*ast.Term
	for s := range strings.SplitSeq(string(path), "/") {
		if s == "" {
			continue
		}
		if len(terms) == maxParts {
			break
		}
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
		terms = append(terms, str(s))
	}
	return ast.ArrayTerm(terms...)
}

// segment is one of them, decoded as segments does.
func segment(i int) source {
	return text(func(v *view) ([]byte, bool) {
		path, _ := split(v.ex)
		for n := 0; len(path) > 0 && n < maxParts; {
			var s []byte
			s, path, _ = bytes.Cut(path, []byte("/"))
			if len(s) == 0 {
				continue
			}
			if n == i {
				v.scratch = appendDecoded(v.scratch[:0], s, false)
				return v.scratch, true
			}
			n++
		}
		return nil, false
	})
}

func contentType(v *view) ([]byte, bool) {
	value, ok := header(v, "content-type")
	if !ok {
		return nil, false
	}
	media, _, _ := bytes.Cut(value, []byte(";"))
	media = bytes.TrimSpace(media)
	if bytes.IndexFunc(media, func(r rune) bool { return r >= utf8.RuneSelf || r >= 'A' && r <= 'Z' }) >= 0 {
		media = bytes.ToLower(media) // the one text that may allocate: hardly a client writes it so
	}
	return media, true
}
