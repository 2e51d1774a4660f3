package bench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wonted-project/wonted/envoy"
)

// Run carries out a plan. Everything that it starts has ended when it returns.
//
// The report holds what was measured, even beside an error, which says why
// there is no more: a variant could not be started, or something has died in
// the middle. Where ctx ends it, the report is partial and there is no error.
// A report with Failures is whole, and does not count.
func Run(ctx context.Context, plan Plan, progress io.Writer) (*Report, error) {
	if err := plan.validate(); err != nil {
		return nil, err
	}
	defer http.DefaultClient.CloseIdleConnections()
	r := &run{plan: &plan, say: newTeller(progress)}
	start := time.Now()
	r.report = &Report{Version: reportVersion, Plan: plan.Name, Command: plan.Command, Started: start, Failures: []string{}}
	err := r.all(ctx)
	r.say.end()
	r.report.Seconds = time.Since(start).Seconds()
	r.report.Cells = slices.DeleteFunc(r.report.Cells, func(c Cell) bool { return len(c.Results) == 0 })
	if ctx.Err() != nil {
		r.report.Partial, err = true, nil
	}
	return r.report, err
}

// run is a plan under way.
type run struct {
	plan   *Plan
	report *Report
	say    *teller
	scene
}

func (r *run) all(ctx context.Context) (err error) {
	if r.dir, err = os.MkdirTemp("", "wonted-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	r.scene.plan = r.plan
	if r.plan.Target == "" {
		if r.bin, err = envoy.Find(); err != nil {
			return err
		}
		for _, peer := range r.plan.Peers { // found out before half an hour has passed
			if _, err := peer.program(); err != nil {
				return err
			}
		}
		upstream, err := r.startUpstream(ctx)
		if err != nil {
			return err
		}
		defer upstream.stop()
	}
	r.report.Machine = machine(ctx, r.bin, r.plan)
	for _, p := range r.plan.Points {
		cell := Cell{Name: p.Name, Identities: p.Identities, Concurrency: p.Concurrency,
			Rate: p.Rate, Think: p.Think.Seconds() * 1e3, Protocol: p.Protocol, Scenario: p.Scenario}
		if p.Procs != r.plan.Procs {
			cell.GOMAXPROCS = p.Procs
		}
		r.report.Cells = append(r.report.Cells, cell)
	}
	scenes := r.scenes()
	r.say.expect(r.plan)
	for i, points := range scenes {
		if err := r.play(ctx, points); err != nil || ctx.Err() != nil {
			return err
		}
		if r.plan.Bursts && i == len(scenes)-1 { // with the most profiles, if the plan is one that grows
			if err := r.bursts(ctx, points[0]); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) startUpstream(ctx context.Context) (*child, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	r.upstream = address
	dir := filepath.Join(r.dir, "upstream")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return startChild(ctx, command{
		name: "the API", dir: dir, args: []string{r.plan.Program, "bench", "upstream", "--listen", address},
		env: []string{"GOMAXPROCS=1"},
	}, listening(address))
}

// scenes groups the points, by their indexes, that one set of processes serves:
// the same callers, the same cores.
func (r *run) scenes() (all [][]int) {
	type key struct {
		load  Identities
		procs int
	}
	at := map[key]int{}
	for i, p := range r.plan.Points {
		k := key{Identities{p.Identities, p.Scenario}, p.Procs}
		n, ok := at[k]
		if !ok {
			n = len(all)
			at[k] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], i)
	}
	return all
}

// play sets a scene and measures its cells.
func (r *run) play(ctx context.Context, points []int) error {
	var names []string
	for _, i := range points {
		for _, name := range r.plan.Points[i].Variants {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if slices.ContainsFunc(names, func(n string) bool { d, err := r.plan.variant(n); return err == nil && d.depth != "" }) {
		if err := r.know(ctx, r.plan.Points[points[0]]); err != nil {
			return err
		}
	}
	all, err := r.startAll(ctx, names, r.say.step)
	if err != nil {
		return err
	}
	defer stopAll(all)
	r.introduce(all)
	for _, i := range points {
		p := &r.plan.Points[i]
		var of []*contender
		for _, c := range all {
			if slices.Contains(p.Variants, c.Name) {
				of = append(of, c)
			}
		}
		if err := r.cell(ctx, p, &r.report.Cells[i], of); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// know fills profiles for a point's callers, unless those of the scene before
// are the same.
func (r *run) know(ctx context.Context, p Point) error {
	r.procs = p.Procs
	load := Identities{p.Identities, p.Scenario}
	if r.plan.Prefill == nil || r.plan.Target != "" || r.profiles != nil && r.profiles.load == load {
		return nil
	}
	r.say.step(fmt.Sprintf("filling the profiles of %d callers", load.Count))
	dir := filepath.Join(r.dir, "profiles")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	start := time.Now()
	var err error
	if r.profiles, err = prefill(ctx, r.plan, dir, load); err == nil && time.Since(start) > time.Second {
		r.say.line(fmt.Sprintf("filled the profiles of %d callers in %.0f s", load.Count, time.Since(start).Seconds()))
	}
	return err
}

// introduce tells the report who has come, in the order of the designs.
func (r *run) introduce(all []*contender) {
	known := map[string]Variant{}
	for _, v := range r.report.Variants {
		known[v.Name] = v
	}
	for _, c := range all {
		known[c.Name] = c.Variant
	}
	order := append(Names(), slices.Sorted(maps.Keys(known))...) // peers and targets last
	r.report.Variants = r.report.Variants[:0]
	for _, name := range order {
		if v, ok := known[name]; ok {
			r.report.Variants = append(r.report.Variants, v)
			delete(known, name)
		}
	}
}

func (r *run) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.report.Failures = append(r.report.Failures, text)
	r.say.line("FAILURE: " + text)
}
