package rego

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/wonted-project/wonted/policy"
)

var _ policy.Witness = (*Engine)(nil)

// witnessPatience bounds what nobody waits for, too.
const witnessPatience = time.Second

// Witness keeps the input that the policy reads of an exchange, in memory and as
// long as the function that it returns. That evaluates the policy on it once
// more, and watches.
func (e *Engine) Witness(in *policy.Input, rule string) func() []policy.Source {
	v := e.views.Get().(*view)
	input, now := v.build(e.plan, in), in.Now
	e.views.Put(v)
	return func() []policy.Source {
		ctx, end := context.WithTimeout(context.Background(), witnessPatience)
		defer end()
		s := &steps{end: end}
		if _, err := e.ask(ctx, input, now, s); err != nil {
			return nil
		}
		fired, _ := explain(s.BufferTracer)
		var found []policy.Source
		for _, f := range fired {
			at := policy.Source{Rule: f.Rule, File: filepath.ToSlash(f.File), Row: f.Row}
			if f.Rule == rule && !slices.Contains(found, at) {
				found = append(found, at)
			}
		}
		return found
	}
}
