package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/bench"
	"github.com/wonted-project/wonted/policy/rego"
)

// benchFlags are the command line of bench load.
type benchFlags struct {
	plan                       string
	variants, modes, peers     []string
	identities, concurrency    []string
	target, protocol, scenario string
	rate, attack               float64
	rounds, procs              int
	duration, warmUp, think    time.Duration
	burst, strict              bool
	output, to                 string
}

// read makes a plan of the command line.
func (f *benchFlags) read(cmd *cobra.Command) (plan bench.Plan, err error) {
	switch f.plan {
	case "standard":
		plan = bench.Standard()
	case "full":
		plan = bench.Full()
	default:
		return plan, misuse("--plan takes standard or full", "--plan %q is not known", f.plan)
	}
	given := cmd.Flags().Changed
	if f.target != "" {
		for _, name := range []string{"variants", "mode", "peer", "procs", "burst"} {
			if given(name) {
				return plan, misuse("leave out one of the two", "--target loads an Envoy that runs already, and --%s is of what bench load starts", name)
			}
		}
	}
	if given("variants") || given("mode") {
		if plan.Variants, err = f.chosen(plan.Variants); err != nil {
			return plan, err
		}
		for i := range plan.Points {
			plan.Points[i].Variants = nil
		}
	}
	for _, text := range f.peers {
		peer, err := bench.ParsePeer(text)
		if err != nil {
			return plan, misuse(see(cmd), "--peer: %w", err)
		}
		plan.Peers = append(plan.Peers, peer)
	}
	for _, name := range []string{"identities", "concurrency", "rate", "think", "protocol", "scenario"} {
		if given(name) {
			if plan.Points, err = f.points(); err != nil {
				return plan, err
			}
			plan.Name = ""
			break
		}
	}
	set(&plan.Attack, f.attack, given("attack"))
	set(&plan.Rounds, f.rounds, given("rounds"))
	set(&plan.Duration, f.duration, given("duration"))
	set(&plan.WarmUp, f.warmUp, given("warm-up"))
	set(&plan.Procs, f.procs, given("procs"))
	set(&plan.Bursts, f.burst, given("burst"))
	plan.Target = f.target
	plan.Command = os.Args
	plan.Version = thisBuild().Version
	plan.Prefill = prefill
	plan.Policy = string(rego.DefaultSource())
	if slices.ContainsFunc(plan.Peers, func(p bench.Peer) bool { return p.Kind == "opa" }) {
		plan.Policy += bench.Rule
	}
	if plan.Program, err = os.Executable(); err != nil {
		return plan, fmt.Errorf("bench: %w", err)
	}
	if err := plan.Validate(); err != nil {
		return plan, misuse(see(cmd), "bench: %w", err)
	}
	return plan, nil
}

func set[T any](to *T, value T, given bool) {
	if given {
		*to = value
	}
}

// chosen are the variants that --variants and --mode ask for.
func (f *benchFlags) chosen(all []string) (names []string, err error) {
	if len(f.variants) > 0 {
		all = f.variants
	}
	if len(f.modes) == 0 {
		return all, nil
	}
	for _, mode := range f.modes {
		if mode != "shadow" && mode != "enforce" {
			return nil, misuse("--mode takes shadow, enforce or shadow,enforce", "--mode %q is not known", mode)
		}
	}
	for _, name := range all {
		plain := strings.TrimSuffix(name, "-enforce")
		if !strings.HasPrefix(name, "wonted-") {
			names = append(names, name)
			continue
		}
		for _, mode := range f.modes {
			wanted := plain
			if mode == "enforce" {
				wanted += "-enforce"
			}
			if !slices.Contains(names, wanted) {
				names = append(names, wanted)
			}
		}
	}
	return names, nil
}

// points are the cells of the flags: one for each combination.
func (f *benchFlags) points() (all []bench.Point, err error) {
	identities, err := numbers("identities", f.identities, 1000)
	if err != nil {
		return nil, err
	}
	usual := 16
	if f.rate > 0 {
		usual = 256
	}
	concurrency, err := numbers("concurrency", f.concurrency, usual)
	if err != nil {
		return nil, err
	}
	for _, n := range identities {
		for _, c := range concurrency {
			p := bench.Point{Identities: n, Concurrency: c, Rate: f.rate, Think: f.think, Protocol: f.protocol, Scenario: f.scenario}
			p.Name = fmt.Sprintf("c%d", c)
			if f.rate > 0 {
				p.Name = fmt.Sprintf("rate%g c%d", f.rate, c)
			}
			if f.think > 0 {
				p.Name += fmt.Sprintf(" think %v", f.think)
			}
			if len(identities) > 1 || n != 1000 {
				p.Name += fmt.Sprintf(" %d callers", n)
			}
			if f.scenario != bench.ScenarioAPI {
				p.Name += " " + f.scenario
			}
			if f.protocol != bench.HTTP1 {
				p.Name += " " + f.protocol
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// numbers reads whole numbers, which may be written 1e6.
func numbers(flag string, texts []string, usual int) ([]int, error) {
	if len(texts) == 0 {
		return []int{usual}, nil
	}
	var all []int
	for _, text := range texts {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v < 1 || v > 1e9 || v != math.Trunc(v) {
			return nil, misuse("write whole numbers, separated by commas: 1000 or 1e3", "--%s %q is no whole number from 1", flag, text)
		}
		all = append(all, int(v))
	}
	return all, nil
}
