package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
)

// newEnvoy prints the configuration that puts wonted beside an Envoy.
func newEnvoy(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config --for static|istio|envoy-gateway", Short: "Print an Envoy configuration that asks wonted",
		Long: envoyHelp, Args: noArgs,
	}
	set := withSettings(cmd, "listen", "fail", "depth")
	f := withEnvoyFlags(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := set.load()
		if err != nil {
			return err
		}
		opts, err := f.options(cfg)
		if err != nil {
			return err
		}
		var text []byte
		switch f.target {
		case "static":
			text, err = envoy.Bootstrap(opts)
		case "istio":
			text, err = envoy.Istio(opts, f.mesh)
		case "envoy-gateway":
			text, err = envoy.EnvoyGateway(opts, f.gateway)
		}
		if err != nil {
			return advise(err, "%s", see(cmd))
		}
		_, err = std.out.Write(text)
		return err
	}
	return group("envoy", "Configuration for Envoy", cmd)
}

// options are what the flags say and, of both sides' matters, wonted's own
// configuration.
func (f *envoyFlags) options(cfg *config.Config) (envoy.Options, error) {
	if err := f.check(); err != nil {
		return envoy.Options{}, err
	}
	opts := f.opts
	switch {
	case f.wonted != "":
		opts.Wonted = f.wonted
	case cfg.Listen == config.DefaultSocket && f.target == "static":
		opts.Wonted = defaultPlaces().find()
	default:
		opts.Wonted = cfg.Listen
	}
	opts.Depth = envoy.Depth(cfg.Depth)
	for i, name := range opts.LogHeaders {
		opts.LogHeaders[i] = strings.ToLower(name)
	}
	opts.LogHeaders = append(opts.LogHeaders, headersOf(cfg.Identity)...)
	opts.FailOpen = cfg.Fail == policy.FailOpen
	opts.TrustedProxies = cfg.TrustedProxies
	if cfg.Depth != config.Log && f.given("log-header") {
		return opts, misuse("wonted sees every header of a request at the other depths", "--log-header is for --depth log, not %s", cfg.Depth)
	}
	if opts.Affinity = strings.ToLower(opts.Affinity); opts.Affinity != "" && !names(cfg.Identity, opts.Affinity) {
		return opts, misuse("share callers out by a header of which identity rules make callers",
			"--affinity %s: no identity rule names callers by it, and each wonted would know a part of every caller", opts.Affinity)
	}
	// Of several wonted none knows all blocks.
	if opts.Blocks = f.blocks && cfg.Depth != config.Log && (opts.Affinity == "" || f.given("edge-blocks")); opts.Blocks {
		opts.BlocksFile = cfg.Edge.File
	}
	if f.tls != (envoy.TLS{}) {
		opts.TLS = &f.tls
	}
	return opts, f.tokens(&opts)
}

// tokens adds the issuer whose claims are verified, with its keys where these
// must be part of what is printed.
func (f *envoyFlags) tokens(opts *envoy.Options) error {
	if f.jwt.Issuer == "" && f.jwt.JWKS == "" && len(f.jwt.Audiences) == 0 {
		return nil
	}
	if f.target != "static" && f.jwt.JWKS != "" {
		keys, err := os.ReadFile(f.jwt.JWKS)
		if err != nil {
			return fmt.Errorf("--jwt-jwks: %w", err)
		}
		f.jwt.Keys = strings.TrimSpace(string(keys))
	}
	opts.JWT = []envoy.JWT{f.jwt}
	return nil
}

// headersOf are the request headers that identity rules read, in the form that
// Envoy has them.
func headersOf(rules identity.Config) (names []string) {
	for _, r := range rules {
		if r.Header != "" {
			names = append(names, strings.ToLower(r.Header))
		}
		if name, ok := strings.CutPrefix(r.Name, "header:"); ok {
			names = append(names, strings.ToLower(name))
		}
	}
	return names
}

// names says whether a rule makes callers of a request header.
func names(rules identity.Config, header string) bool {
	if len(rules) == 0 {
		rules = identity.Default()
	}
	for _, r := range rules {
		if r.Kind == "caller" && strings.EqualFold(r.Header, header) {
			return true
		}
	}
	return false
}
