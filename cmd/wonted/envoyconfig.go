package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
)

// newEnvoy prints the configuration that puts wonted beside an Envoy.
func newEnvoy(std stdio) *cobra.Command {
	var target string
	var blocks bool
	var opts envoy.Options
	cmd := &cobra.Command{
		Use: "config --for static", Short: "Print an Envoy configuration that asks wonted",
		Long: `Print an Envoy configuration that asks wonted: a complete static bootstrap, with
a comment at each line that wonted depends on. Where wonted listens, how much it
sees (depth), what happens while it is away and how many proxies stand in front
of Envoy come from wonted's own configuration, so that both sides agree.

The depths, by what they cost:
  log       the access log alone: nothing stands in a request's way, all is judged afterwards
  lean      one message a request; how it ended comes from the access log
  adaptive  lean, and wonted asks for the responses that matter (the default)
  headers   one message a request and one a response
  bodies    and every response body is counted as it passes
At log, name with --log-header what else your policy reads of requests.

Addresses and networks in quarantine are refused by Envoy itself, by a filter
whose list comes from wonted: by xDS over the socket where wonted listens or,
where wonted's edge.file is set, from that file, which must be there when Envoy
starts. A block holds while wonted is away. Without a list yet, or without
wonted, the filter refuses nobody. At log there is none, as nothing is refused.`,
		Args: noArgs,
	}
	set := withSettings(cmd, "listen", "fail", "depth")
	f := cmd.Flags()
	f.StringVar(&target, "for", "static", "static: a complete bootstrap file")
	f.StringVar(&opts.Listen, "envoy-listen", "0.0.0.0:8080", "host:port where Envoy takes requests")
	f.StringVar(&opts.Admin, "envoy-admin", "127.0.0.1:9901", "host:port of Envoy's own admin page")
	f.StringVar(&opts.Upstream, "upstream", "127.0.0.1:8000", "host:port of the API that is protected")
	f.BoolVar(&opts.UpstreamHTTP2, "upstream-http2", false, "the API speaks HTTP/2 (gRPC)")
	f.DurationVar(&opts.MessageTimeout, "message-timeout", 200*time.Millisecond, "how long a request waits for wonted")
	f.BoolVar(&blocks, "edge-blocks", true, "have Envoy itself refuse addresses and networks in quarantine")
	f.StringVar(&opts.AccessLog, "access-log", "", "file of a JSON access log that wonted replay reads")
	f.StringSliceVar(&opts.LogHeaders, "log-header", nil, "request header that wonted is to see at depth log, beside those of identity rules; may be repeated")
	cmd.RunE = func(*cobra.Command, []string) error {
		if target != "static" {
			return misuse("--for static", "--for %q is not known", target)
		}
		cfg, err := set.load()
		if err != nil {
			return err
		}
		opts.Wonted = cfg.Listen
		if cfg.Listen == config.DefaultSocket {
			opts.Wonted = defaultPlaces().find()
		}
		opts.Depth = envoy.Depth(cfg.Depth)
		for i, name := range opts.LogHeaders {
			opts.LogHeaders[i] = strings.ToLower(name)
		}
		opts.LogHeaders = append(opts.LogHeaders, headersOf(cfg.Identity)...)
		opts.FailOpen = cfg.Fail == policy.FailOpen
		opts.TrustedProxies = cfg.TrustedProxies
		if cfg.Depth != config.Log && cmd.Flags().Changed("log-header") {
			return misuse("wonted sees every header of a request at the other depths", "--log-header is for --depth log, not %s", cfg.Depth)
		}
		if opts.Blocks = blocks && cfg.Depth != config.Log; opts.Blocks {
			opts.BlocksFile = cfg.Edge.File
		}
		text, err := envoy.Bootstrap(opts)
		if err != nil {
			return advise(err, "%s", see(cmd))
		}
		_, err = std.out.Write(text)
		return err
	}
	return group("envoy", "Configuration for Envoy", cmd)
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
