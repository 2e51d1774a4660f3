package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Policy says where the Rego comes from: a directory, or a server of OPA
// bundles. Neither: the default policy. What follows Bundle is about it alone.
type Policy struct {
	Path     string        `yaml:"path"`      // directory of .rego and .json
	Bundle   string        `yaml:"bundle"`    // URL; the last good one is kept under data_dir/bundles
	Token    string        `yaml:"token"`     // file with the bearer token that the server asks for
	CA       string        `yaml:"ca"`        // file of certificates (PEM) that vouch for the server; "": the system's
	Signing  Signing       `yaml:"signing"`   // what a bundle must be signed with
	Poll     Poll          `yaml:"poll"`      // how often the server is asked
	MaxBytes profile.Bytes `yaml:"max_bytes"` // of a bundle, unpacked
}

// Signing is what a bundle must be signed with.
type Signing struct {
	Key       string `yaml:"key"`       // file: a public key (PEM) or an HMAC's secret; "": signatures are not asked for
	Algorithm string `yaml:"algorithm"` // as `opa sign --signing-alg`
	Scope     string `yaml:"scope"`     // that the signature must name; "": none
}

// Poll is how often a server is asked for news, in whole seconds.
type Poll struct {
	Min     Duration `yaml:"min"`     // between two requests, at random
	Max     Duration `yaml:"max"`     // and while the server is away
	Wait    Duration `yaml:"wait"`    // how long the server may hold a request until there is news; left out: it answers at once
	Timeout Duration `yaml:"timeout"` // of a request with its answer, beside wait
}

func defaultPolicy() Policy {
	return Policy{
		Signing:  Signing{Algorithm: "RS256"},
		Poll:     Poll{Min: Duration(time.Minute), Max: Duration(2 * time.Minute), Timeout: Duration(time.Minute)},
		MaxBytes: 64 << 20,
	}
}

// algorithms are those that OPA signs bundles with.
var algorithms = []string{"ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}

// A bundle is held in memory several times over while it is compiled.
const minBundle, maxBundle = 64 << 10, 1 << 30

// Everything in poll. More than mostPoll is a typing error.
const leastPoll, mostPoll = time.Second, 24 * time.Hour

func (c *Config) validatePolicy(from source) error {
	p := &c.Policy
	if p.Bundle == "" {
		for _, of := range [][2]string{{"token", p.Token}, {"ca", p.CA}, {"signing.key", p.Signing.Key}} {
			if of[1] != "" {
				return from.fault("policy."+of[0], "there is no bundle that it could be about: set policy.bundle, or leave it out")
			}
		}
		return nil
	}
	if p.Path != "" {
		return from.fault("policy.bundle", "policy has a path as well: one of the two, a policy comes from one place")
	}
	u, err := url.Parse(p.Bundle)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return from.fault("policy.bundle", fmt.Sprintf("%q is no URL of a bundle: https://host/path/of/bundle.tar.gz, without a user (token is a file)", p.Bundle))
	}
	if !slices.Contains(algorithms, p.Signing.Algorithm) {
		return from.fault("policy.signing.algorithm", fmt.Sprintf("unknown algorithm %q: one of %s", p.Signing.Algorithm, strings.Join(algorithms, ", ")))
	}
	for _, of := range []struct {
		key string
		d   Duration
	}{{"min", p.Poll.Min}, {"max", p.Poll.Max}, {"wait", p.Poll.Wait}, {"timeout", p.Poll.Timeout}} {
		if of.d != 0 && (of.d < Duration(leastPoll) || of.d > Duration(mostPoll)) {
			return from.fault("policy.poll."+of.key, fmt.Sprintf("%v is impossible: %v to %v", of.d, leastPoll, mostPoll))
		}
	}
	switch {
	case p.Poll.Min > p.Poll.Max:
		return from.fault("policy.poll", fmt.Sprintf("min, %v, is more than max, %v: what passes between two requests is between them", p.Poll.Min, p.Poll.Max))
	case p.MaxBytes < minBundle || p.MaxBytes > maxBundle:
		return from.fault("policy.max_bytes", fmt.Sprintf("%v is impossible: 64KiB to 1GiB", p.MaxBytes))
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		if p.Signing.Key == "" {
			c.Warnings = append(c.Warnings, "policy.bundle: over http and without policy.signing.key, whoever is on the way can replace the policy")
		}
		if p.Token != "" {
			c.Warnings = append(c.Warnings, "policy.token: over http, whoever is on the way can read it")
		}
	}
	if c.DataDir == "" {
		c.Warnings = append(c.Warnings, "policy.bundle: without data_dir no bundle is kept, and wonted does not start while the server is away")
	}
	return nil
}
