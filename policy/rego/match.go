package rego

import (
	"bytes"
	"net"
	"net/netip"
	"regexp"
)

// match is a test of a string.
type match struct {
	how     how
	with    string
	bytes   []byte          // with, for infix
	set     map[string]byte // for among: what a string found here comes out as
	pattern *regexp.Regexp
}

type how uint8

const (
	same how = iota
	order
	prefix
	suffix
	infix
	among
	pattern
)

// of is how the test of s comes out. None of the conversions allocates: they
// are compared, looked up, or go no further than the call.
func (m *match) of(s []byte) byte {
	switch m.how {
	case same:
		return truth(string(s) == m.with)
	case order:
		switch {
		case string(s) < m.with:
			return below
		case string(s) == m.with:
			return equal
		}
		return above
	case prefix:
		return truth(len(s) >= len(m.with) && string(s[:len(m.with)]) == m.with)
	case suffix:
		return truth(len(s) >= len(m.with) && string(s[len(s)-len(m.with):]) == m.with)
	case infix:
		return truth(bytes.Contains(s, m.bytes))
	case pattern:
		return truth(m.pattern.Match(s))
	}
	return m.set[string(s)]
}

// inside is how OPA's net.cidr_contains comes out: it does not read an address
// with a zone.
func inside(n *net.IPNet, a netip.Addr) byte {
	if a.Zone() != "" {
		return 2
	}
	ip := a.As16()
	return truth(n.Contains(ip[:]))
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}
