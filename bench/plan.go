package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Plan says what is measured. [Standard] and [Full] make the two that are
// known by name; a caller may change what they set.
type Plan struct {
	Name    string   // for the report: "standard", [PlanFull]; "": cells of somebody's own
	Program string   // the wonted program: its hidden commands are the API and the reference processor
	Version string   // what Program says it is
	Command []string // for the report

	Variants []string      // names of [Names]; every one is visited in every round of a cell that does not choose others
	Points   []Point       // the cells
	Rounds   int           // of each cell
	Duration time.Duration // of one variant in a round, without warm-up
	WarmUp   time.Duration // before it
	Attack   float64       // share of requests that are somebody's with bad intentions
	Procs    int           // GOMAXPROCS of wonted where a point does not say; 0: as Go chooses

	Peers  []Peer // others' processors to compare with
	Target string // http://host:port of an Envoy that runs already, in place of all variants
	Bursts bool   // measure p99 while wonted reloads, saves and is scraped

	// Policy is the Rego that wonted decides by; "": its default policy.
	Policy string

	// Prefill leaves in dir, a data_dir, what a wonted knows that has had these
	// callers for some days, under the identity key in keyFile, which it makes
	// too. nil: wonted starts without profiles.
	Prefill func(ctx context.Context, dir, keyFile string, load Identities) error
}

// Point is one cell: a load, and what it is put on.
type Point struct {
	Name        string
	Identities  int
	Concurrency int
	Rate        float64       // requests/s, latency from when they are due; 0: closed loop
	Think       time.Duration // closed loop: what a client waits before its next request, on average
	Protocol    string        // [HTTP1] | [HTTP2]; "": the first
	Scenario    string        // [ScenarioAPI] | [ScenarioBodies]; "": the first
	Procs       int           // GOMAXPROCS of wonted; 0: the plan's
	Variants    []string
	Rounds      int // 0: the plan's
}

// Peer is a processor of somebody else's.
type Peer struct {
	Kind    string // "opa": an opa-envoy-plugin, as ext_authz; "extproc": any ext_proc server
	Command string // the path of the first, the command line of the second
}

// ParsePeer reads opa=PATH or extproc=COMMAND.
func ParsePeer(text string) (Peer, error) {
	kind, command, ok := strings.Cut(text, "=")
	if !ok || command == "" || kind != "opa" && kind != "extproc" {
		return Peer{}, fmt.Errorf("peer %q: write opa=PATH of an opa-envoy-plugin, or extproc=COMMAND of an ext_proc server", text)
	}
	return Peer{kind, command}, nil
}

// think is as long as a few requests are served in: it takes clients out of
// step, and leaves the machine as busy as it was.
const think = 500 * time.Microsecond

// Standard is the plan of ten minutes: what each depth costs at one size.
func Standard() Plan {
	few := []string{Bare, Noop, "wonted-adaptive", "wonted-headers"}
	return Plan{
		Name:     "standard",
		Variants: []string{Bare, Noop, "wonted-log", "wonted-lean", "wonted-adaptive", "wonted-adaptive-enforce", "wonted-headers"},
		Rounds:   5, Duration: 2 * time.Second, WarmUp: 300 * time.Millisecond,
		Attack: 0.002, Procs: 1,
		Points: []Point{
			{Name: "c16", Identities: 1000, Concurrency: 16},
			{Name: "c16 thinking", Identities: 1000, Concurrency: 16, Think: think, Variants: few},
			{Name: "c1", Identities: 1000, Concurrency: 1, Variants: few},
			{Name: "c64", Identities: 1000, Concurrency: 64, Variants: few},
			{Name: "rate1000", Identities: 1000, Concurrency: 256, Rate: 1000},
			{Name: "bodies", Identities: 1000, Concurrency: 16, Scenario: ScenarioBodies,
				Variants: []string{Bare, "noop-bodies", "wonted-adaptive", "wonted-bodies"}},
		},
	}
}

// Full is the plan of half an hour: how cost grows with concurrency, with the
// number of callers and with cores, beside what others cost.
func Full() Plan {
	p := Standard()
	few := []string{Bare, Noop, "wonted-adaptive", "wonted-headers"}
	p.Name, p.Rounds, p.Bursts = PlanFull, 7, true
	p.Points = []Point{
		{Name: "c16", Identities: 1000, Concurrency: 16,
			Variants: append(slices.Clone(p.Variants), "wonted-headers-enforce", "wonted-lean-enforce", "wonted-log-enforce")},
		{Name: "c16 thinking", Identities: 1000, Concurrency: 16, Think: think},
		{Name: "c1", Identities: 1000, Concurrency: 1},
		{Name: "c64", Identities: 1000, Concurrency: 64},
		{Name: "c512", Identities: 1000, Concurrency: 512},
		{Name: "rate1000", Identities: 1000, Concurrency: 256, Rate: 1000},
		{Name: "c16 http/2", Identities: 1000, Concurrency: 16, Protocol: HTTP2, Variants: few},
		{Name: "bodies", Identities: 1000, Concurrency: 16, Scenario: ScenarioBodies,
			Variants: []string{Bare, Noop, "noop-bodies", "wonted-log", "wonted-adaptive", "wonted-headers", "wonted-bodies", "wonted-bodies-enforce"}},
		{Name: "c16 2 procs", Identities: 1000, Concurrency: 16, Procs: 2},
		{Name: "c64 2 procs", Identities: 1000, Concurrency: 64, Procs: 2, Variants: few},
		{Name: "c16 2 wonted", Identities: 1000, Concurrency: 16, Variants: []string{Bare, Noop, "wonted-headers", "wonted-headers-x2"}},
		{Name: "1e5", Identities: 100_000, Concurrency: 16, Variants: few},
		{Name: "1e5 rate1000", Identities: 100_000, Concurrency: 256, Rate: 1000, Variants: few},
		{Name: "1e6", Identities: 1_000_000, Concurrency: 16, Variants: few},
		{Name: "1e6 rate1000", Identities: 1_000_000, Concurrency: 256, Rate: 1000, Variants: few},
	}
	return p
}

// limits of a plan: the harness is bounded in count and time.
const (
	maxConcurrency = 4096
	maxIdentities  = 10_000_000
	maxRounds      = 1000
	maxRate        = 1e6
	maxDuration    = time.Hour
	maxThink       = time.Minute
)

// Validate reports every fault of a plan at once, without starting anything.
func (p Plan) Validate() error { return p.validate() }

// validate does so, and fills in what a point leaves out.
func (p *Plan) validate() error {
	var faults []error
	refuse := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if p.Program == "" && p.Target == "" {
		refuse("no program to run")
	}
	if p.Rounds < 1 || p.Rounds > maxRounds {
		refuse("rounds: %d is outside 1 to %d", p.Rounds, maxRounds)
	}
	if p.Duration < time.Millisecond || p.Duration > maxDuration {
		refuse("duration: %v is outside 1ms to %v", p.Duration, maxDuration)
	}
	if p.WarmUp < 0 || p.WarmUp > maxDuration {
		refuse("warm-up: %v is outside 0 to %v", p.WarmUp, maxDuration)
	}
	if !(p.Attack >= 0 && p.Attack <= 1) {
		refuse("attack: %v is no share, which is 0 to 1", p.Attack)
	}
	if p.Procs < 0 || p.Procs > 1024 {
		refuse("procs: %d is outside 0 (as Go chooses) to 1024", p.Procs)
	}
	if len(p.Points) == 0 {
		refuse("no cell to measure")
	}
	p.Points = slices.Clone(p.Points)
	names, told := map[string]bool{}, map[string]bool{}
	for i := range p.Points {
		if err := p.complete(&p.Points[i], names); err != nil && !told[err.Error()] { // once, not of every cell
			told[err.Error()] = true
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func (p *Plan) complete(c *Point, names map[string]bool) error {
	if c.Protocol == "" {
		c.Protocol = HTTP1
	}
	if c.Scenario == "" {
		c.Scenario = ScenarioAPI
	}
	if c.Procs == 0 {
		c.Procs = p.Procs
	}
	if c.Rounds == 0 {
		c.Rounds = p.Rounds
	}
	if c.Variants == nil {
		c.Variants = p.Variants
	}
	if p.Target != "" {
		c.Variants = []string{targetName}
	} else {
		c.Variants = slices.Clone(c.Variants)
		for _, peer := range p.Peers {
			c.Variants = append(c.Variants, peer.Kind)
		}
	}
	if names[c.Name] || c.Name == "" {
		return fmt.Errorf("cell %q: each needs a name of its own", c.Name)
	}
	names[c.Name] = true
	switch {
	case c.Identities < 1 || c.Identities > maxIdentities:
		return fmt.Errorf("identities: %d is outside 1 to %d", c.Identities, maxIdentities)
	case c.Concurrency < 1 || c.Concurrency > maxConcurrency:
		return fmt.Errorf("concurrency: %d is outside 1 to %d", c.Concurrency, maxConcurrency)
	case !(c.Rate >= 0 && c.Rate <= maxRate):
		return fmt.Errorf("rate: %v is outside 0 (closed loop) to %v requests/s", c.Rate, float64(maxRate))
	case c.Think < 0 || c.Think > maxThink || c.Think > 0 && c.Rate > 0:
		return fmt.Errorf("think time: %v is outside 0 to %v, or beside a rate, which says when requests are sent", c.Think, maxThink)
	case c.Protocol != HTTP1 && c.Protocol != HTTP2:
		return fmt.Errorf("protocol: %q is neither %s nor %s", c.Protocol, HTTP1, HTTP2)
	case c.Scenario != ScenarioAPI && c.Scenario != ScenarioBodies:
		return fmt.Errorf("scenario: %q is neither %s nor %s", c.Scenario, ScenarioAPI, ScenarioBodies)
	case len(c.Variants) == 0:
		return errors.New("no variant to measure")
	}
	seen := map[string]bool{}
	for _, name := range c.Variants {
		if seen[name] {
			return fmt.Errorf("variant %s is named twice", name)
		}
		seen[name] = true
		if _, err := p.variant(name); err != nil {
			return err
		}
	}
	return nil
}
