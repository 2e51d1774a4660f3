package policy

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Manner is how a client is told what it may do about a verdict, beside status,
// retry-after and realm. What is empty is not said, or is the configuration's
// (StepUp).
type Manner struct {
	// Of a challenge, for whoever came with a bearer token (RFC 9470): the
	// authentication that would do, and how old it may be, in whole seconds.
	ACRValues string
	MaxAge    time.Duration
	// Redirect is where a browser goes to sign in.
	Redirect string
	// Of a throttle: a quota of so many requests in a window of whole seconds, as
	// the policy states it. What is learned is never told.
	Quota  int64
	Window time.Duration
}

// join adds what another rule of the same action wants: what is strictest; of
// words the first in byte order.
func (m *Manner) join(o Manner) {
	m.ACRValues = first(m.ACRValues, o.ACRValues)
	m.MaxAge = smaller(m.MaxAge, o.MaxAge)
	m.Redirect = first(m.Redirect, o.Redirect)
	switch {
	case o.Quota == 0:
	case m.Quota == 0 || o.Quota < m.Quota:
		m.Quota, m.Window = o.Quota, o.Window
	case o.Quota == m.Quota:
		m.Window = max(m.Window, o.Window)
	}
}

func (m Manner) compare(o Manner) int {
	return cmp.Or(
		cmp.Compare(m.ACRValues, o.ACRValues),
		cmp.Compare(m.MaxAge, o.MaxAge),
		cmp.Compare(m.Redirect, o.Redirect),
		cmp.Compare(m.Quota, o.Quota),
		cmp.Compare(m.Window, o.Window),
	)
}

// String is the manner in words, "" where nothing is said.
func (m Manner) String() string {
	var all []string
	say := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	say(m.ACRValues != "", "acr_values %q", m.ACRValues)
	say(m.MaxAge > 0, "max_age %s", WindowName(m.MaxAge))
	say(m.Redirect != "", "redirect %s", m.Redirect)
	say(m.Quota > 0, "quota %d in %s", m.Quota, WindowName(m.Window))
	return strings.Join(all, ", ")
}

// first of two words of which "" is none.
func first(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}
