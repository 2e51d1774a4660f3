package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// pretended is what a variant of the synthetic report costs, in the order of
// what the real ones do.
type pretended struct {
	Variant
	cpu, envoy, added float64 // µs, µs, ms a request
	mib, allocs       float64
}

var pretend = []pretended{
	{Variant{Bare, "Envoy alone, without a filter", "", false, "none", "none"}, 0, 61, 0, 0, 0},
	{Variant{Noop, "an ext_proc that answers CONTINUE, of grpc-go's defaults", "", false, "none", "none"}, 93, 112, 1.1, 24, 160},
	{Variant{noopBodies, "the same, and it is sent the response bodies", "", false, "none", "none"}, 120, 140, 1.4, 24, 180},
	{Variant{"wonted-log", "profiles and shadow verdicts from the access log alone", "shadow", false, "profiles", "remembered"}, 11, 68, 0.08, 52, 3},
	{Variant{"wonted-lean", "decides on the request; the end is read from the access log", "shadow", false, "profiles", "remembered"}, 27, 84, 0.52, 52, 50},
	{Variant{"wonted-adaptive", "looks at a response where it may be unusual", "shadow", false, "profiles", "remembered"}, 33, 88, 0.6, 53, 51},
	{Variant{"wonted-adaptive-enforce", "the same, and refuses", "enforce", false, "profiles", "remembered"}, 33.5, 88, 0.61, 53, 51},
	{Variant{"wonted-headers", "request and response headers", "shadow", false, "profiles", "remembered"}, 41, 108, 0.72, 53, 57},
	{Variant{"wonted-bodies", "response bodies streamed and metered", "shadow", true, "profiles", "remembered"}, 58, 131, 0.9, 55, 71},
	{Variant{"opa", "opa-envoy-plugin by ext_authz, the same rule", "enforce", false, "none", "evaluated"}, 195, 104, 1.9, 61, 0},
}

// synthetic is a report as the harness would write it of machines that never
// were: five rounds, a drift that pairs cancel, a little noise.
func synthetic() *Report {
	r := &Report{
		Version: reportVersion, Plan: PlanFull, Command: []string{"wonted", "bench", "load", "--plan", "full"},
		Started: time.Date(2026, 11, 20, 22, 0, 0, 0, time.UTC), Seconds: 512,
		Machine: Machine{CPU: "Synthetic CPU @ 2.00GHz", Cores: 2, Memory: 8 << 30, Kernel: "Linux 6.12.8",
			Go: "go1.26.8", Envoy: "1.40.0", GOMAXPROCS: 1, EnvoyCores: 1, Wonted: "v0.0.0-synthetic"},
	}
	for _, p := range pretend {
		r.Variants = append(r.Variants, p.Variant)
	}
	random := rand.New(rand.NewPCG(20, 26))
	for _, c := range []Cell{
		{Name: "c16", Identities: 1000, Concurrency: 16},
		{Name: "c1", Identities: 1000, Concurrency: 1},
		{Name: "c64", Identities: 1000, Concurrency: 64},
		{Name: "c512", Identities: 1000, Concurrency: 512},
		{Name: "1e5", Identities: 100_000, Concurrency: 16},
		{Name: "1e6", Identities: 1_000_000, Concurrency: 16},
		{Name: "rate1000", Identities: 1000, Concurrency: 256, Rate: 1000},
		{Name: "bodies", Identities: 1000, Concurrency: 16, Scenario: ScenarioBodies},
	} {
		c.Protocol = "http/1.1"
		if c.Scenario == "" {
			c.Scenario = ScenarioAPI
		}
		var variants []pretended
		for _, p := range pretend {
			if (p.Name == noopBodies) != (c.Scenario == ScenarioBodies) && (p.Name == noopBodies || p.Name == Noop) {
				continue
			}
			variants = append(variants, p)
			c.Results = append(c.Results, Result{Variant: p.Name})
		}
		for range 5 {
			machine := math.Exp(0.1 * random.NormFloat64())
			for i, p := range variants {
				c.Results[i].Rounds = append(c.Results[i].Rounds, p.round(&c, machine, random))
			}
		}
		r.Cells = append(r.Cells, c)
	}
	r.Bursts = []Burst{
		{"policy reload", []float64{2.9, 3.1, 3.0, 2.8, 3.2}, []float64{4.1, 4.4, 4.0, 4.3, 4.6}},
		{"snapshot of 1000000 callers", []float64{3.0, 3.1, 2.9, 3.0, 3.1}, []float64{6.0, 7.2, 5.9, 6.8, 6.1}},
		{"metrics scrape", []float64{3.0, 3.1}, []float64{3.0, 3.2}},
	}
	return r
}

func (p pretended) round(c *Cell, machine float64, random *rand.Rand) Round {
	noise := func() float64 { return machine * math.Exp(0.02*random.NormFloat64()) }
	cpu := p.cpu * noise()
	if p.State == "profiles" { // cold records miss the cache
		cpu *= 1 + 0.08*math.Log10(float64(c.Identities)/1000)
	}
	envoy := p.envoy * noise()
	rate := 1.3e6 / (cpu + envoy + 60*noise())
	if c.Rate > 0 {
		rate = c.Rate
	}
	queue := float64(c.Concurrency)
	if c.Rate > 0 {
		queue = 2
	}
	p50 := (0.18 + p.added/3 + queue*1e3/rate/2.2) * noise()
	requests := int(rate * 2)
	r := Round{
		Requests: requests, Errors: map[string]int{}, Statuses: map[int]int{200: requests - 17, 404: 17}, Seconds: 2,
		P50: p50, P90: p50 * 1.6, P99: p50 * 2.4 * noise(), P999: p50 * 4 * noise(),
		ProcessorCPU: cpu * float64(requests) / 1e6, EnvoyCPU: envoy * float64(requests) / 1e6, Scored: -1,
	}
	if p.State == "profiles" {
		r.Scored, r.Profiles = int64(requests), int64(c.Identities)*21/20 // sessions, addresses and networks too
	}
	if p.mib > 0 {
		r.Resident = int64(p.mib * (1 << 20))
		if p.State == "profiles" {
			r.Resident += int64(c.Identities) * 1080
		}
	}
	if p.allocs > 0 {
		r.AllocObjects, r.AllocBytes = p.allocs*float64(requests), 48*p.allocs*float64(requests)
		r.GCSeconds = 0.02 * r.ProcessorCPU
	}
	// A log-normal body with the quantiles above, roughly.
	at := p50 / 2.5
	for previous := 0.0; at < p50*8; at *= 1.06 {
		below := 0.5 * math.Erfc(-math.Log(at/p50)/0.37/math.Sqrt2)
		if n := int64((below - previous) * float64(requests)); n > 0 {
			r.Histogram = append(r.Histogram, Bin{UpTo: at, Count: n})
			previous = below
		}
	}
	return r
}

// broken is the synthetic report after everything has gone wrong at once.
func broken() *Report {
	r := synthetic()
	r.Failures = []string{`noop and wonted-headers answered differently: 12 × 502 <script>alert("x")</script>`, "wonted-bodies: 3 requests timed out\nEnvoy's log ends with:\n  upstream connect error"}
	r.Partial = true
	r.Variants[4].Does = `</script><img src=x onerror=alert(1)> & "quotes"`
	r.Cells = r.Cells[:3]
	r.Cells[0].Results = r.Cells[0].Results[1:]                     // no bare
	r.Cells[1].Results[1].Rounds = r.Cells[1].Results[1].Rounds[:2] // no interval to noop
	r.Cells[1].Results[7].Rounds[0].Errors = map[string]int{"timeout": 3, "reset": 1}
	r.Cells[2].Results = r.Cells[2].Results[:1]
	r.Cells[2].Results[0].Rounds = nil
	r.Cells = append(r.Cells, Cell{Name: "never came to it", Protocol: "http/2", Scenario: ScenarioAPI, Identities: 1, Concurrency: 1},
		Cell{Name: "stranger", Protocol: "http/2", Identities: 5, Concurrency: 2, Scenario: ScenarioAPI,
			Results: []Result{{Variant: fmt.Sprintf("<b>%s</b>", "unheard of"), Rounds: []Round{{}}}}})
	return r
}
