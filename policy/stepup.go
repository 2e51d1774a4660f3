package policy

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// StepUp is how a challenge is put where a rule does not say: section challenge
// of the configuration.
type StepUp struct {
	Realm     string `yaml:"realm"`      // "": api
	ACRValues string `yaml:"acr_values"` // for bearer tokens; separated by spaces, the preferred first
	MaxAge    int    `yaml:"max_age"`    // for bearer tokens, seconds; 0: not said
	Redirect  string `yaml:"redirect"`   // where a browser goes: an absolute URL, or a path, that no rule challenges; "": nowhere
	Header    string `yaml:"header"`     // tells a page's own scripts where that is, in place of sending them there; "": none
}

// MostAge is the largest max_age: a year.
const MostAge = 365 * 24 * time.Hour

// Validate finds what cannot stand in an answer. An error begins with the key.
func (s StepUp) Validate() error {
	if err := Quotable(s.Realm); err != nil {
		return fmt.Errorf("realm: %w", err)
	}
	if err := Quotable(s.ACRValues); err != nil {
		return fmt.Errorf("acr_values: %w", err)
	}
	if s.MaxAge < 0 || s.MaxAge > int(MostAge/time.Second) {
		return fmt.Errorf("max_age: %d seconds are impossible; 1 to %d, or 0 to leave it out", s.MaxAge, int(MostAge/time.Second))
	}
	if err := Redirectable(s.Redirect); s.Redirect != "" && err != nil {
		return fmt.Errorf("redirect: %w", err)
	}
	if s.Header != "" && s.Redirect == "" {
		return errors.New("header: it tells where redirect leads, and there is none; name a redirect as well")
	}
	if strings.ContainsFunc(s.Header, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }) {
		return fmt.Errorf("header: %q does not do; letters in lower case, digits and - as in x-sign-in", s.Header)
	}
	if slices.Contains(taken, s.Header) {
		return fmt.Errorf("header: %q means something already; another name, as in x-sign-in", s.Header)
	}
	return nil
}

// InSession says whether an exchange belongs to a session, as a browser's do.
func InSession(ex *scoring.Exchange) bool {
	return ex.Entities[profile.KindSession].Kind != profile.KindNone
}

// taken are headers that the answer has, or that frame it.
var taken = []string{
	"cache-control", "connection", "content-length", "content-type", "date", "host", "location", "server", "te", "trailer",
	"transfer-encoding", "upgrade", "www-authenticate",
}

// Quotable says what keeps a text from standing in a quoted string of
// www-authenticate (RFC 9110, 5.6.4) as it is.
func Quotable(s string) error {
	if len(s) > 512 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return fmt.Errorf("%.80q does not do; printable ASCII without quotes and backslashes, at most 512 bytes", s)
	}
	return nil
}

// Redirectable says what keeps a text from being where browsers are sent: an
// absolute URL of http or https, or a path of the same site. //host would be
// another site that looks like a path.
func Redirectable(s string) error {
	const want = "an absolute URL as in https://login.example.com/step-up, or a path as in /login"
	u, err := url.Parse(s)
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '"' || r == '<' || r == '>' })
	if err != nil || len(s) > 1024 || !plain || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%.80q does not do; %s", s, want)
	}
	switch site := (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""; {
	case site, u.Scheme == "" && u.Host == "" && strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//"):
		return nil
	}
	return fmt.Errorf("%.80q leads nowhere, or where nobody meant; %s", s, want)
}
