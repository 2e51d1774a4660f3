package quarantine

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Config is the section quarantine of the configuration file.
type Config struct {
	// Never names who is never blocked, beside loopback, link-local and private
	// addresses.
	Never []Exempt `yaml:"never"`
	// Private: addresses of private networks (RFC 1918, RFC 6598, RFC 4193) may be
	// blocked. Where all clients are on one, nothing else could be.
	Private bool `yaml:"private"`
	// Ladder is how long a block lasts, by how many went before.
	Ladder []Span `yaml:"ladder"`
	// MaxEntries bounds the blocks that hold at a time.
	MaxEntries int `yaml:"max_entries"`
	// MaxCallers in good standing may be hit by a block of an address, network or
	// device.
	MaxCallers int `yaml:"max_callers"`
}

// Span is a time.Duration written with its unit.
type Span time.Duration

// UnmarshalText reads what time.ParseDuration does.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration: write it like 30s, 5m or 1h", text)
	}
	*s = Span(d)
	return nil
}

// Exempt is somebody who is never blocked. All conditions that are given must
// hold, at least one. An address alone is about the address and its network; a
// request from there is let through as well where it names nobody. The others
// are about all of a request.
type Exempt struct {
	Address   string `yaml:"address"`    // or network
	UserAgent string `yaml:"user_agent"` // with at most one * for any text
	Caller    string `yaml:"caller"`     // the display name, with at most one *, or the hash
}

// MaxTTL is the longest that anybody is blocked at once.
const MaxTTL = 30 * 24 * time.Hour

// The bounds of Config.
const (
	mostRungs   = 10
	mostExempt  = 64
	leastMax    = 16
	mostMax     = 1 << 20
	mostCallers = counted - 1
)

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		Ladder:     []Span{Span(5 * time.Minute), Span(time.Hour), Span(24 * time.Hour)},
		MaxEntries: 65536,
		MaxCallers: 20,
	}
}

// Validate returns the first complaint; it begins with the key.
func (c Config) Validate() error {
	switch {
	case len(c.Ladder) == 0 || len(c.Ladder) > mostRungs:
		return fmt.Errorf("ladder: %d rungs; give 1 to %d durations, as in [5m, 1h, 24h]", len(c.Ladder), mostRungs)
	case c.MaxEntries < leastMax || c.MaxEntries > mostMax:
		return fmt.Errorf("max_entries: %d is impossible: %d to %d", c.MaxEntries, leastMax, mostMax)
	case c.MaxCallers < 0 || c.MaxCallers > mostCallers:
		return fmt.Errorf("max_callers: %d is impossible: 0 to %d", c.MaxCallers, mostCallers)
	}
	for i, d := range c.Ladder {
		if time.Duration(d) < time.Second || time.Duration(d) > MaxTTL || i > 0 && d < c.Ladder[i-1] {
			return fmt.Errorf("ladder: rung %d is %v: from 1s to 720h, none shorter than the one before", i+1, time.Duration(d))
		}
	}
	_, err := newNever(c)
	return err
}

// Warnings are settings that can be meant and are dangerous.
func (c Config) Warnings() (all []string) {
	for _, e := range c.Never {
		if e.UserAgent != "" && e.Address == "" {
			all = append(all, fmt.Sprintf("quarantine.never: every client can call itself %q, and is never blocked then: give the address as well", e.UserAgent))
		}
		if e.Caller != "" && e.Address == "" {
			all = append(all, fmt.Sprintf("quarantine.never: %q may come from anywhere, which only wonted can tell: Envoy carries out no block by itself; give the address as well", e.Caller))
		}
	}
	return all
}

// parsePlace reads an address or a network as configured or given by hand.
func parsePlace(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return p, fmt.Errorf("%q is no network: write it like 203.0.113.0/24 or 2001:db8::/48", text)
		}
		if a := p.Addr(); a.Is4In6() {
			if p.Bits() < 96 {
				return netip.Prefix{}, fmt.Errorf("%q is no network: write it like 203.0.113.0/24 or 2001:db8::/48", text)
			}
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is no address: write it like 203.0.113.7 or 2001:db8::7", text)
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}
