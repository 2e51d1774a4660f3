package bench

import "slices"

// Figures is everything that a reader is told of one variant in one cell.
// Plain ones carry the least and greatest round, the rest a 95 % confidence
// interval over paired rounds (see [Estimate]); what cannot be known is null.
type Figures struct {
	Variant Variant `json:"variant"`
	Rounds  int     `json:"rounds"`

	PerSecond Estimate `json:"requests_per_second"`
	P50       Estimate `json:"p50_ms"`
	P90       Estimate `json:"p90_ms"`
	P99       Estimate `json:"p99_ms"`
	P999      Estimate `json:"p999_ms"`

	// Over bare of the same turn. NaN for bare itself.
	AddedP50  Estimate `json:"added_p50_ms"`
	AddedP90  Estimate `json:"added_p90_ms"`
	AddedP99  Estimate `json:"added_p99_ms"`
	AddedP999 Estimate `json:"added_p999_ms"`

	ProcessorCPU  Estimate `json:"processor_cpu_us_a_request"`
	EnvoyCPU      Estimate `json:"envoy_cpu_us_a_request"`
	ProcessorVCPU Estimate `json:"processor_vcpu_for_1000_per_second"`
	EnvoyMoreVCPU Estimate `json:"envoy_more_vcpu_for_1000_per_second"` // than bare

	Resident   Estimate `json:"resident_mib"`
	Allocs     Estimate `json:"allocations_a_request"`
	AllocBytes Estimate `json:"allocated_bytes_a_request"`
	GCShare    Estimate `json:"gc_share"` // of the processor's CPU, 0 to 1

	ToNoop Ratios `json:"to_noop"` // of the cell: noop-bodies where bodies are what is compared
	ToBare Ratios `json:"to_bare"`

	Requests int            `json:"requests"`           // of all rounds
	Errors   map[string]int `json:"errors,omitempty"`   // of all rounds, by kind
	Statuses map[int]int    `json:"statuses,omitempty"` // of all rounds
}

// Ratios compare a variant with a reference, in paired rounds.
type Ratios struct {
	PerSecond    Estimate `json:"requests_per_second"`
	ProcessorCPU Estimate `json:"processor_cpu"` // a request
	EnvoyCPU     Estimate `json:"envoy_cpu"`     // a request
	P99          Estimate `json:"p99"`
}

// Figures derives the figures of a cell, a row for each result in the order of
// the report's variants. Results of a variant that the report does not name
// come last, by their name alone.
func (r *Report) Figures(cell *Cell) []Figures {
	var rows []Figures
	for _, variant := range r.Variants {
		if result := cell.result(variant.Name); result != nil {
			rows = append(rows, figures(variant, result.Rounds, cell))
		}
	}
	for _, result := range cell.Results {
		if !slices.ContainsFunc(r.Variants, func(v Variant) bool { return v.Name == result.Variant }) {
			rows = append(rows, figures(Variant{Name: result.Variant}, result.Rounds, cell))
		}
	}
	return rows
}

// result finds a variant's, nil where the cell has none.
func (c *Cell) result(variant string) *Result {
	i := slices.IndexFunc(c.Results, func(r Result) bool { return r.Variant == variant })
	if i < 0 {
		return nil
	}
	return &c.Results[i]
}

// noop is the name of the cell's reference processor: the one that is sent the
// bodies too, where responses are large and it took part.
func (c *Cell) noop() string {
	if c.Scenario == ScenarioBodies && c.result(noopBodies) != nil {
		return noopBodies
	}
	return Noop
}

// rounds of a variant, none where the cell has none.
func (c *Cell) rounds(variant string) []Round {
	if result := c.result(variant); result != nil {
		return result.Rounds
	}
	return nil
}

// cell finds one by its name, nil where the report has none.
func (r *Report) cell(name string) *Cell {
	i := slices.IndexFunc(r.Cells, func(c Cell) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Cells[i]
}

func figures(variant Variant, rounds []Round, cell *Cell) Figures {
	plain := func(m measure) Estimate { return spread(series(rounds, m)) }
	bare := cell.rounds(Bare)
	if variant.Name == Bare {
		bare = nil // nothing is more than itself
	}
	over := func(m measure) Estimate { return difference(series(rounds, m), series(bare, m)) }
	f := Figures{
		Variant: variant, Rounds: len(rounds),
		PerSecond: plain(perSecond), P50: plain(p50), P90: plain(p90), P99: plain(p99), P999: plain(p999),
		AddedP50: over(p50), AddedP90: over(p90), AddedP99: over(p99), AddedP999: over(p999),
		ProcessorCPU: plain(processorCPU), EnvoyCPU: plain(envoyCPU),
		ProcessorVCPU: plain(processorVCPU), EnvoyMoreVCPU: over(envoyVCPU),
		Resident: plain(resident), Allocs: plain(allocs), AllocBytes: plain(allocBytes), GCShare: plain(gcShare),
		ToNoop: ratios(variant.Name, cell.noop(), cell), ToBare: ratios(variant.Name, Bare, cell),
		Errors: map[string]int{}, Statuses: map[int]int{},
	}
	for _, r := range rounds {
		f.Requests += r.Requests
		for kind, n := range r.Errors {
			f.Errors[kind] += n
		}
		for status, n := range r.Statuses {
			f.Statuses[status] += n
		}
	}
	return f
}

func ratios(variant, reference string, cell *Cell) Ratios {
	if variant == reference {
		return Ratios{unknown, unknown, unknown, unknown}
	}
	of := func(m measure) Estimate {
		return quotient(series(cell.rounds(variant), m), series(cell.rounds(reference), m))
	}
	return Ratios{PerSecond: of(perSecond), ProcessorCPU: of(processorCPU), EnvoyCPU: of(envoyCPU), P99: of(p99)}
}
