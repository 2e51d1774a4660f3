package envoy

import (
	"context"
	"slices"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
)

// StartEdited starts an Envoy whose bootstrap a test has changed, for the
// set-ups of other people that wonted has to live with.
func StartEdited(ctx context.Context, bin string, opts Options, dir string, edit func(*bootstrapv3.Bootstrap)) (*Process, error) {
	b, err := build(opts)
	if err != nil {
		return nil, err
	}
	edit(b)
	config, err := render(b, opts.withDefaults())
	if err != nil {
		return nil, err
	}
	return start(ctx, bin, config, dir, opts.Concurrency)
}

// Reasons are the beginnings of the lines that printed configurations explain.
func Reasons() (lines []string) {
	for _, r := range slices.Concat(reasons, istioReasons, gatewayReasons) {
		lines = append(lines, strings.TrimSpace(r.key+": "+r.value))
	}
	return lines
}

// StartConfig starts an Envoy with a configuration that a test has made itself.
func StartConfig(ctx context.Context, bin string, config []byte, dir string) (*Process, error) {
	return start(ctx, bin, config, dir, 1)
}

// Processor is the configuration of wonted's filter.
func Processor(opts Options) *extprocv3.ExternalProcessor {
	return wontedProcessor(opts.withDefaults())
}
