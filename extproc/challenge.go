package extproc

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// stepUp is how challenges are put where their rules do not say otherwise.
type stepUp struct {
	policy.StepUp
	plain, token string // www-authenticate of a challenge that leaves all to it
}

func newStepUp(s policy.StepUp) *stepUp {
	s.Realm = cmp.Or(s.Realm, "api")
	u := &stepUp{StepUp: s}
	u.plain = u.authenticate(policy.Verdict{Decision: &policy.Decision{}}, false)
	u.token = u.authenticate(policy.Verdict{Decision: &policy.Decision{}}, true)
	return u
}

// challenge tells a client how it may prove again who it is: a program by
// www-authenticate, a person's browser by being sent to sign in. A page's own
// script is not sent anywhere, since it would get the sign-in page for an
// answer, where a header can tell it instead.
func (u *stepUp) challenge(a *answer, ex *scoring.Exchange, v policy.Verdict) {
	bearer := isBearer(ex)
	if v.Realm == "" && v.ACRValues == "" && v.MaxAge == 0 {
		value := u.plain
		if bearer {
			value = u.token
		}
		a.put("www-authenticate", value)
	} else {
		a.put("www-authenticate", u.authenticate(v, bearer))
	}
	where := cmp.Or(v.Redirect, u.Redirect)
	if where == "" || bearer || a.grpc || a.status != http.StatusUnauthorized || isAt(ex, where) {
		return
	}
	wantsPage := accepts(ex, "text/html")
	if !wantsPage && !policy.InSession(ex) {
		return // no browser
	}
	read := string(ex.Method) == http.MethodGet || string(ex.Method) == http.MethodHead
	switch where = returning(where, ex, read); {
	case navigates(ex) && (wantsPage || u.Header == ""):
		a.put("location", where)
		if a.status = http.StatusSeeOther; read {
			a.status = http.StatusFound
		}
	case u.Header != "":
		a.put(u.Header, where)
	}
}

// authenticate is the value of www-authenticate. A client that sent a bearer
// token learns that the token is good but not good enough, and what would be
// (RFC 9470, 3); one that sent none gets no error code (RFC 6750, 3.1).
func (u *stepUp) authenticate(v policy.Verdict, bearer bool) string {
	var b strings.Builder
	parameter := func(name, value string) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `%s="%s"`, name, quotes.Replace(clean(value)))
	}
	parameter("realm", cmp.Or(v.Realm, u.Realm))
	if bearer {
		parameter("error", "insufficient_user_authentication")
		parameter("error_description", "Sign in again to continue")
		if acr := cmp.Or(v.ACRValues, u.ACRValues); acr != "" {
			parameter("acr_values", acr)
		}
		if age := cmp.Or(v.MaxAge, time.Duration(u.MaxAge)*time.Second); age > 0 {
			parameter("max_age", wholeSeconds(age))
		}
	}
	return "Bearer " + b.String()
}

var quotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// isAt: the request is for the place to sign in itself, and would be sent round
// in circles.
func isAt(ex *scoring.Exchange, where string) bool {
	u, err := url.Parse(where)
	path, _, _ := bytes.Cut(ex.Path, []byte("?"))
	return err == nil && (u.Host == "" || u.Host == string(ex.Host)) && cmp.Or(u.Path, "/") == string(path)
}

// maxReturn bounds the path that a client is led back to.
const maxReturn = 2 << 10

// returning adds where the client was: the path alone, since what is in a query
// may be a secret and would be in the log of whoever signs people in. What begins
// like another site (//host) is left out, as is what cannot be asked for again.
func returning(where string, ex *scoring.Exchange, read bool) string {
	path, _, _ := bytes.Cut(ex.Path, []byte("?"))
	odd := bytes.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f })
	if !read || odd || len(path) > maxReturn || !bytes.HasPrefix(path, []byte("/")) || bytes.HasPrefix(path, []byte("//")) {
		return where
	}
	separator := "?"
	if strings.Contains(where, "?") {
		separator = "&"
	}
	return where + separator + "return_to=" + url.QueryEscape(string(path))
}

// navigates: a browser says of each request whether it is for the page that a
// person sees (Fetch Metadata); an old one, which does not, is believed to.
func navigates(ex *scoring.Exchange) bool {
	mode := sentHeader(ex, "sec-fetch-mode")
	return mode == nil || string(mode) == "navigate"
}

func accepts(ex *scoring.Exchange, kind string) bool {
	return bytes.Contains(bytes.ToLower(sentHeader(ex, "accept")), []byte(kind))
}

func isBearer(ex *scoring.Exchange) bool {
	const scheme = "bearer "
	v := sentHeader(ex, "authorization")
	return len(v) > len(scheme) && strings.EqualFold(string(v[:len(scheme)]), scheme)
}

// sentHeader is the first of that name, nil if there is none.
func sentHeader(ex *scoring.Exchange, name string) []byte {
	for i := range ex.Headers {
		if h := &ex.Headers[i]; string(h.Name) == name {
			return h.Value
		}
	}
	return nil
}
