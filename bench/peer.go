package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/wonted-project/wonted/envoy"
)

// Rule is a rule of one line of thought that wonted is given beside its default
// policy where an opa-envoy-plugin is measured: [opaRule] says the same.
const Rule = `
deny contains "deleting needs the role admin" if {
	input.request.method == "DELETE"
	not input.request.headers["x-role"] == "admin"
}
`

// opaRule is Rule as an opa-envoy-plugin has it. It evaluates it for every
// request; wonted remembers.
const opaRule = `package envoy.authz

default allow := true

allow := false if {
	input.attributes.request.http.method == "DELETE"
	not input.attributes.request.http.headers["x-role"] == "admin"
}
`

// listenVariable and listenPlace are how a peer's command learns where to
// listen.
const (
	listenVariable = "WONTED_BENCH_LISTEN"
	listenPlace    = "{listen}"
)

// design is the variant of a peer.
func (p Peer) design() design {
	if p.Kind == "opa" {
		return design{peer: &p, shape: func(*envoy.Options) {}, Variant: Variant{Name: p.Kind,
			Does: "opa-envoy-plugin as ext_authz: one rule of wonted's policy, evaluated for every request, no response seen", State: "none", Decision: "evaluated"}}
	}
	return design{peer: &p, Variant: Variant{Name: p.Kind, Does: "ext_proc, both header messages: " + p.Command, State: "unknown", Decision: "unknown"},
		shape: func(o *envoy.Options) { o.Depth, o.ResponseHeaders = envoy.DepthHeaders, true }}
}

// startPeer runs somebody else's processor on a socket of ours.
func (c *contender) startPeer(ctx context.Context, s *scene, opts *envoy.Options) (err error) {
	listen := "unix://" + filepath.Join(c.dir, "sock")
	start := command{name: "peer " + c.peer.Kind, dir: c.dir, env: []string{listenVariable + "=" + listen}}
	if c.peer.Kind == "opa" {
		opts.ExtAuthz = listen
		rule := filepath.Join(c.dir, "policy.rego")
		if err := os.WriteFile(rule, []byte(opaRule), 0o600); err != nil {
			return err
		}
		admin, err := freeAddress()
		if err != nil {
			return err
		}
		start.args = []string{c.peer.Command, "run", "--server", "--addr", admin, "--log-level", "error", "--disable-telemetry",
			"--set", "plugins.envoy_ext_authz_grpc.addr=" + listen,
			"--set", "plugins.envoy_ext_authz_grpc.path=envoy/authz/allow",
			"--set", "decision_logs.console=false", rule}
	} else {
		opts.Wonted = listen
		start.args = strings.Fields(strings.ReplaceAll(c.peer.Command, listenPlace, listen))
	}
	if start.args[0], err = c.peer.program(); err != nil {
		return err
	}
	return c.startProgram(ctx, start, listen)
}

// program finds the peer's program as a shell would.
func (p *Peer) program() (string, error) {
	name := p.Command
	if words := strings.Fields(name); p.Kind != "opa" && len(words) > 0 {
		name = words[0]
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("peer %s=%s: it cannot be run: %w; write opa=PATH of an opa-envoy-plugin, or extproc=COMMAND of an ext_proc server", p.Kind, p.Command, err)
	}
	return filepath.Abs(path)
}
