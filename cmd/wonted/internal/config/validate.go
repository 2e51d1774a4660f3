package config

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/wonted-project/wonted/scoring/route"
)

// maxSocketPath is what a Unix socket address can hold, in bytes.
const maxSocketPath = 107

// leastDeadline is what any upstream may take to answer.
const leastDeadline = time.Second

// A decision of most policies takes microseconds; of mostDecision, Envoy and
// the client have long gone.
const leastDecision, mostDecision = time.Millisecond, time.Minute

// The breaker counts by the minute, and waits for a day at the most.
const leastQuiet, mostQuiet = time.Minute, 24 * time.Hour

// maxProxies bounds trusted_proxies: more hops than that is a typing error.
const maxProxies = 16

// A file of minRecord holds the longest line that Envoy's limits let through;
// each of maxKeep files is renamed when one is full.
const minRecord, maxRecord, maxKeep = 1 << 20, 1 << 40, 1000

// maxHeaderName is as long as the names of headers are read.
const maxHeaderName = 63

// validate refuses what cannot work, and collects warnings about what has no
// effect yet.
func (c *Config) validate(from source) error {
	network, address, err := SplitListen(c.Listen)
	if err != nil {
		return from.fault("listen", err.Error())
	}
	if host, _ := hostPort(address); network == "tcp" && !loopback(host) {
		c.Warnings = append(c.Warnings, "listen: "+c.Listen+" can be reached from other machines, and asks nobody who they are; "+
			"prefer a Unix socket, or let only Envoy reach the port")
	}
	if err := c.adminListener(from); err != nil {
		return err
	}
	if c.Metrics != "" {
		if _, err := hostPort(c.Metrics); err != nil {
			return from.fault("metrics", err.Error())
		}
		if c.Metrics == c.Admin {
			return from.fault("metrics", "the same address as admin: choose another port")
		}
	}
	if c.TrustedProxies < 0 || c.TrustedProxies > maxProxies {
		return from.fault("trusted_proxies", fmt.Sprintf("%d is impossible: 0 to %d hops", c.TrustedProxies, maxProxies))
	}
	if c.Record.MaxBytes < minRecord || c.Record.MaxBytes > maxRecord {
		return from.fault("record.max_bytes", fmt.Sprintf("%v is impossible: 1MiB to 1TiB", c.Record.MaxBytes))
	}
	if c.Record.Keep < 1 || c.Record.Keep > maxKeep {
		return from.fault("record.keep", fmt.Sprintf("%d files are impossible: 1 to %d", c.Record.Keep, maxKeep))
	}
	if c.Edge.File != "" && !filepath.IsAbs(c.Edge.File) {
		return from.fault("edge.file", fmt.Sprintf("%q: Envoy, which reads the file, does not share wonted's working directory: make it an absolute path", c.Edge.File))
	}
	lower := make([]string, len(c.Routes.VersionHeaders))
	for i, name := range c.Routes.VersionHeaders {
		if lower[i] = strings.ToLower(name); !httpguts.ValidHeaderFieldName(name) || len(name) > maxHeaderName {
			return from.fault("routes.version_headers", fmt.Sprintf("%q is no header's name: write it like x-api-version", name))
		}
	}
	c.Routes.VersionHeaders = lower
	if err := route.New().Carry(c.Routes.Operations); err != nil {
		return from.fault("routes.operations", err.Error())
	}
	if err := c.sections(from); err != nil {
		return err
	}
	if c.Deadline < Duration(leastDeadline) {
		return from.fault("deadline", fmt.Sprintf("%v would close exchanges that are only slow: %v or more", c.Deadline, leastDeadline))
	}
	if c.DecisionDeadline < Duration(leastDecision) || c.DecisionDeadline > Duration(mostDecision) {
		return from.fault("decision_deadline", fmt.Sprintf("%v is impossible: %v to %v, and less than message_timeout of Envoy's ext_proc filter",
			c.DecisionDeadline, leastDecision, mostDecision))
	}
	if err := c.validatePolicy(from); err != nil {
		return err
	}
	if err := c.validateDecisionLog(from); err != nil {
		return err
	}
	return c.validateTracing(from)
}

// adminListener refuses one that lets everybody who can reach it do everything.
func (c *Config) adminListener(from source) error {
	if err := c.AdminAuth.Validate(); err != nil {
		return from.section("admin_auth", err)
	}
	if c.Admin == "" {
		return nil
	}
	if _, err := hostPort(c.Admin); err != nil {
		return from.fault("admin", err.Error())
	}
	switch local := c.AdminIsLocal(); {
	case !local && !c.AdminAuth.Asks():
		return from.fault("admin", fmt.Sprintf("%s can be reached from other machines, and would ask nobody who they are; keep admin on 127.0.0.1, "+
			"or name bearer tokens (admin_auth.tokens) or certificates (admin_auth.tls.client_ca); for kubelet and Prometheus there is a second one, metrics", c.Admin))
	case !local && c.AdminAuth.TLS.Cert == "":
		c.Warnings = append(c.Warnings, "admin: tokens cross the network as they are, and whoever reads one has it: set admin_auth.tls, or let a sidecar encrypt")
	}
	return nil
}

// AdminIsLocal says whether the admin listener is on loopback.
func (c *Config) AdminIsLocal() bool {
	host, _ := hostPort(c.Admin)
	return loopback(host)
}

// sections asks the packages that own them.
func (c *Config) sections(from source) error {
	if err := c.Identity.Validate(); err != nil {
		return from.section("identity", err)
	}
	if err := c.Login.Validate(); err != nil {
		return from.section("login", err)
	}
	if err := c.Cohorts.Validate(); err != nil {
		return from.section("cohorts", err)
	}
	if c.Breaker.Quiet < Duration(leastQuiet) || c.Breaker.Quiet > Duration(mostQuiet) {
		return from.fault("breaker.quiet", fmt.Sprintf("%v is impossible: %v to %v", c.Breaker.Quiet, leastQuiet, mostQuiet))
	}
	if err := c.Rules.Validate(); err != nil {
		return from.section("rules", err)
	}
	if err := c.Quarantine.Validate(); err != nil {
		return from.section("quarantine", err)
	}
	c.Warnings = append(c.Warnings, c.Quarantine.Warnings()...)
	if err := c.Challenge.Validate(); err != nil {
		return from.section("challenge", err)
	}
	if err := c.Profile.Validate(); err != nil {
		return from.section("profile", err)
	}
	if c.Budget.Alerts <= 0 || c.Budget.Alerts > 1000 {
		return from.fault("budget.alerts_per_1000_identities_per_day",
			fmt.Sprintf("%v alerts are impossible: above 0, at most 1000", c.Budget.Alerts))
	}
	if c.Budget.Max < 1 {
		return from.fault("budget.max_alerts_per_day", fmt.Sprintf("%d alerts are impossible: 1 or more", c.Budget.Max))
	}
	return nil
}

// section places the first complaint of a section's owner, which says what it
// is about: "identity rule 2: …", "memory: …".
func (s source) section(key string, err error) *Error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
		err = joined.Unwrap()[0]
	}
	about, _, _ := strings.Cut(err.Error(), ":")
	at := key + "." + about
	var n int
	if _, err := fmt.Sscanf(about, key+" rule %d", &n); err == nil {
		at = fmt.Sprintf("%s[%d]", key, n-1)
	}
	if !s.has(at) {
		at = key
	}
	return s.fault(at, err.Error())
}

// SplitListen parts a listen address into what net.Listen takes.
func SplitListen(listen string) (network, address string, err error) {
	path, unix := strings.CutPrefix(listen, "unix://")
	if !unix {
		if strings.Contains(listen, "://") || strings.HasPrefix(listen, "/") || strings.HasPrefix(listen, "unix:") {
			return "", "", fmt.Errorf("%q is no address to listen on: unix:///path, unix://@name or host:port", listen)
		}
		if _, err := hostPort(listen); err != nil {
			return "", "", fmt.Errorf("%q is no address to listen on: unix:///path, unix://@name or host:port", listen)
		}
		return "tcp", listen, nil
	}
	switch {
	case len(path) > maxSocketPath:
		return "", "", fmt.Errorf("the socket's path has %d bytes: at most %d, choose a shorter directory", len(path), maxSocketPath)
	case strings.HasPrefix(path, "@") && len(path) > 1, filepath.IsAbs(path) && !strings.HasSuffix(path, "/"):
		return "unix", path, nil
	}
	return "", "", fmt.Errorf("%q names no socket: unix:///absolute/path or unix://@name", listen)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostPort(value string) (host string, err error) {
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		var n int
		if n, err = strconv.Atoi(port); err == nil && (n < 0 || n > 65535) {
			err = errors.New("port out of range")
		}
	}
	if err != nil {
		return "", fmt.Errorf("%q is no address to listen on: host:port with a port of 0 to 65535", value)
	}
	return host, nil
}
