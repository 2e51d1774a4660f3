package envoy

import (
	"context"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
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

// Keys are those that the printed configuration explains.
func Keys() []string {
	keys := make([]string, len(reasons))
	for i, r := range reasons {
		keys[i] = r.key
	}
	return keys
}
