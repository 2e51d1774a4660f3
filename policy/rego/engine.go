package rego

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/cache"

	"github.com/wonted-project/wonted/policy"
)

// Package is the package whose rules are the contract.
const Package = "wonted.policy"

// Engine is one compiled policy with its data. It is immutable and safe for
// concurrent use.
type Engine struct {
	revision string
	bundle   string // the revision that a bundle's manifest names
	warnings []Problem
	inputs   []string
	routes   []string
	reads    [3]bool         // by policy.Phase
	texts    map[string]bool // that stand in the policy: what a rule may be called by

	compiler *ast.Compiler
	store    storage.Store
	values   cache.InterQueryValueCache
	query    ast.Body // binds one variable to each contract rule that the policy has
	rules    []rule
	plan     []step
	views    sync.Pool

	memo       *memo // nil: no decision is remembered
	unmemoised []Problem
}

var (
	_ policy.Decider  = (*Engine)(nil)
	_ policy.Recaller = (*Engine)(nil)
)

// rule is a contract rule that the policy has, and the query's variable for it.
type rule struct {
	name     string
	variable ast.Var
	decode   func(*policy.Rules, ast.Value) error
}

// newEngine compiles modules (by file name) over data.
func newEngine(modules map[string]*ast.Module, data map[string]any) (*Engine, error) {
	if err := checkContract(modules); err != nil {
		return nil, err
	}
	store := inmem.NewFromObjectWithOpts(data,
		inmem.OptRoundTripOnWrite(false),     // it is JSON already
		inmem.OptReturnASTValuesOnRead(true)) // or every read of data would be converted again
	compiler := compilerFor(data)
	compiler.Compile(modules)
	if compiler.Failed() {
		return nil, problems(compiler.Errors)
	}
	e := &Engine{
		compiler: compiler,
		store:    store,
		values:   patterns(),
	}
	if err := e.prepareQuery(); err != nil {
		return nil, err
	}
	reads := inputsOf(compiler.Modules)
	e.inputs = reads.paths()
	e.routes = routesOf(compiler.Modules, data)
	e.texts = textsOf(modules)
	e.plan = planFor(schema, reads)
	e.reads = phasesOf(reads)
	e.warnings = sorted(append(check(compiler, data), checkElements(modules, compiler.TypeEnv)...))
	if len(e.rules) == 0 && len(e.warnings) == 0 { // else the names are nearly right
		e.warnings = []Problem{{Message: "no rule of the contract is defined, so everything is allowed", Hint: "the rules are " + strings.Join(contractNames, ", ")}}
	}
	e.views.New = func() any { return new(view) }
	key, reasons := analyse(compiler, data)
	if e.unmemoised = reasons; len(reasons) == 0 {
		e.memo = newMemo(key)
	}
	return e, nil
}

func compilerFor(data map[string]any) *ast.Compiler {
	return ast.NewCompiler().
		WithCapabilities(capabilities()).
		WithPathConflictsCheck(conflicts(data)).
		WithStageAfterID(ast.StageCheckRecursion, checkGrowth)
}

// maxPatterns bounds the compiled patterns that are kept for the regex and glob
// builtins: a policy may match against a pattern that a client sent.
const maxPatterns = 1024

func patterns() cache.InterQueryValueCache {
	n := maxPatterns
	return cache.NewInterQueryValueCache(context.Background(), &cache.Config{
		InterQueryBuiltinValueCache: cache.InterQueryBuiltinValueCacheConfig{MaxNumEntries: &n},
	})
}

// prepareQuery asks for the contract rules one by one: the whole package would
// evaluate the author's own rules too, whether used or not.
func (e *Engine) prepareQuery() error {
	has := map[string]bool{}
	for _, m := range e.compiler.Modules {
		if isContract(m) {
			for _, r := range m.Rules {
				has[ruleName(r)] = true
			}
		}
	}
	var body ast.Body
	for _, name := range slices.Sorted(maps.Keys(contract)) {
		if !has[name] {
			continue
		}
		v := ast.Var("r_" + name)
		ref := ast.MustParseRef("data." + Package).Append(ast.StringTerm(name))
		body.Append(ast.Equality.Expr(ast.NewTerm(v), ast.NewTerm(ref)))
		e.rules = append(e.rules, rule{name: name, variable: v, decode: contract[name]})
	}
	if len(e.rules) == 0 {
		return nil // a policy of helpers only: everything is allowed, and a warning says so
	}
	compiled, err := e.compiler.QueryCompiler().Compile(body)
	if err != nil {
		return fmt.Errorf("compile the query of the contract: %w", err)
	}
	e.query = compiled
	return nil
}

// Decide evaluates the policy, and remembers the decision for Recall. It gives
// up when ctx ends. What failed is not remembered.
func (e *Engine) Decide(ctx context.Context, in *policy.Input) (*policy.Decision, error) {
	v := e.views.Get().(*view)
	input := v.build(e.plan, in)
	e.views.Put(v)
	d, err := e.evaluate(ctx, input, in.Now)
	if err == nil && e.memo != nil {
		e.remember(in, d)
	}
	return d, err
}

// evaluate is Decide on an input document. It goes below OPA's package rego,
// which would start a goroutine an evaluation and turn every value into Go's.
func (e *Engine) evaluate(ctx context.Context, input *ast.Term, now time.Time) (*policy.Decision, error) {
	return e.ask(ctx, input, now, nil)
}

// ask is evaluate under the eyes of a tracer, if there is one. Then OPA evaluates
// every rule, also those that an index tells it do not apply.
func (e *Engine) ask(ctx context.Context, input *ast.Term, now time.Time, tracer topdown.QueryTracer) (*policy.Decision, error) {
	var rules policy.Rules
	if len(e.rules) == 0 {
		return rules.Combine(), nil
	}
	txn, err := e.store.NewTransaction(ctx)
	if err != nil {
		return nil, fmt.Errorf("read policy data: %w", err)
	}
	defer e.store.Abort(ctx, txn)

	q := topdown.NewQuery(e.query)
	if tracer != nil {
		q = q.WithQueryTracer(tracer).WithIndexing(false).WithEarlyExit(false)
	}
	err = q.
		WithCompiler(e.compiler).
		WithStore(e.store).
		WithTransaction(txn).
		WithInput(input).
		WithTime(now).
		WithCancel(cancel{ctx}).
		WithInterQueryBuiltinValueCache(e.values).
		WithMetrics(metrics.NoOp()).
		Iter(ctx, func(result topdown.QueryResult) error {
			for _, r := range e.rules {
				if err := decodeSet(&rules, r, result[r.variable]); err != nil {
					return err
				}
			}
			return nil
		})
	switch {
	case topdown.IsCancel(err) && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	}
	e.call(&rules)
	return rules.Combine(), nil
}

// cancel lets OPA ask the context itself, instead of a goroutine an evaluation
// that waits for it.
type cancel struct{ ctx context.Context }

func (c cancel) Cancelled() bool { return c.ctx.Err() != nil }
func (cancel) Cancel()           {}

// Reads says whether a decision at phase could differ because of what the phase
// brings: at the response headers if the policy reads input.response or
// input.phase; at every chunk of the body if it reads input.response.size or
// input.response.records (to bound these alone, response_budget is cheaper).
func (e *Engine) Reads(p policy.Phase) bool { return int(p) < len(e.reads) && e.reads[p] }

// Inputs are the paths of input that the compiled policy reads, sorted.
func (e *Engine) Inputs() []string { return slices.Clone(e.inputs) }

// Revision names policy and data by their content.
func (e *Engine) Revision() string { return e.revision }

// BundleRevision is what the bundle's manifest calls its revision; "" where it
// names none, and of a directory.
func (e *Engine) BundleRevision() string { return e.bundle }

// Warnings are what looks like a mistake but compiles.
func (e *Engine) Warnings() []Problem { return slices.Clone(e.warnings) }
