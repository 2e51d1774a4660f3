package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// reportVersion is raised when a field changes its meaning or its name, not
// when one is added.
const reportVersion = 1

// Report is one run of the harness: what was measured, on what, and whether it
// counts. Only what was measured is kept; every figure a reader sees is derived
// from the rounds when it is shown (see [Report.Text]), so that a report of
// last year can be read by the rules of today.
type Report struct {
	Version  int       `json:"version"` // 1
	Plan     string    `json:"plan"`    // "standard", "full": judged against its targets; "": neither
	Command  []string  `json:"command"` // the command line, with the program
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"` // the whole run, with warm-up and pauses
	Machine  Machine   `json:"machine"`
	Variants []Variant `json:"variants"` // in the order in which they are shown
	Cells    []Cell    `json:"cells"`    // in the order in which they are shown
	Bursts   []Burst   `json:"bursts,omitempty"`
	Failures []string  `json:"failures"` // why the run does not count; empty: it does
	Partial  bool      `json:"partial"`  // it was interrupted: cells and rounds may be missing
}

// Machine is what a reader must know before comparing two reports.
type Machine struct {
	CPU        string `json:"cpu"`                  // the model, as /proc/cpuinfo names it
	Cores      int    `json:"cores"`                // that the load, Envoy, the API and the processor share
	Memory     int64  `json:"memory_bytes"`         // of the machine, or of the container where that is less
	Kernel     string `json:"kernel"`               // e.g. "Linux 6.12.8"
	Go         string `json:"go"`                   // that built the processors, e.g. "go1.26.8"
	Envoy      string `json:"envoy"`                // e.g. "1.40.0"
	GOMAXPROCS int    `json:"gomaxprocs"`           // of the processors; 0: as Go chose it
	EnvoyCores int    `json:"envoy_concurrency"`    // Envoy's worker threads
	Wonted     string `json:"wonted,omitempty"`     // what wonted version prints
	Container  bool   `json:"container,omitempty"`  // cores and memory are a container's limits
	Busy       string `json:"other_load,omitempty"` // what else ran, where the harness knows; e.g. "load average 5.6"
}

// Names of the variants that others are compared with.
const (
	Bare = "bare" // Envoy without any filter of the processor
	Noop = "noop" // an external processor that decides nothing

	noopBodies = "noop-bodies" // the same, and it is sent the response bodies
)

// PlanFull is the plan whose cells the targets speak of.
const PlanFull = "full"

// Variant is one thing in Envoy's path, and what it does for its price: a
// comparison that leaves that out flatters the one that does less.
type Variant struct {
	Name     string `json:"name"`     // "bare", "noop", "wonted-adaptive", "wonted-headers-enforce", "opa"
	Does     string `json:"does"`     // one line for a reader who has never seen it
	Mode     string `json:"mode"`     // "shadow" | "enforce" | "": the question does not arise
	Payload  bool   `json:"payload"`  // looks into bodies
	State    string `json:"state"`    // "none" | "profiles" | "unknown": somebody else's
	Decision string `json:"decision"` // "none" | "evaluated" | "remembered" | "unknown"
}

// Scenarios of a cell.
const (
	ScenarioAPI    = "api"    // small requests, a mix of response sizes
	ScenarioBodies = "bodies" // every response 100 KB of JSON
)

// Cell is one point of measurement: the same load for every variant.
type Cell struct {
	Name        string   `json:"name"`                 // unique in the report; targets name it
	Identities  int      `json:"identities"`           // callers that the load draws from, by Zipf's law
	Concurrency int      `json:"concurrency"`          // requests in flight; open loop: the most there may be
	Rate        float64  `json:"rate"`                 // requests/s that are due, latency counted from then; 0: closed loop
	Think       float64  `json:"think_ms,omitempty"`   // closed loop: what a client waits before its next request, on average
	Protocol    string   `json:"protocol"`             // "http/1.1" | "http/2"
	Scenario    string   `json:"scenario"`             // [ScenarioAPI] | [ScenarioBodies]
	GOMAXPROCS  int      `json:"gomaxprocs,omitempty"` // of the processors, where it is not the machine's
	Results     []Result `json:"results"`
}

// Result is one variant in a cell. Rounds with the same index ran in the same
// turn, one variant after the other, and are compared in pairs: Rounds[i] of
// one with Rounds[i] of another.
type Result struct {
	Variant string  `json:"variant"`
	Rounds  []Round `json:"rounds"` // in the order of time, warm-up left out
}

// Round is what one variant did in one turn. CPU, allocations and errors are
// those of the round alone, not since the start.
type Round struct {
	Requests int            `json:"requests"` // that were answered, in whole
	Errors   map[string]int `json:"errors"`   // requests without an answer, by kind: "timeout", "reset", "refused", …
	Statuses map[int]int    `json:"statuses"` // answers by HTTP status
	Seconds  float64        `json:"seconds"`  // from the first request to the last answer

	P50       float64 `json:"p50_ms"` // milliseconds
	P90       float64 `json:"p90_ms"`
	P99       float64 `json:"p99_ms"`
	P999      float64 `json:"p999_ms"`
	Histogram []Bin   `json:"histogram,omitempty"` // ascending, a few hundred at most; for the curve

	ProcessorCPU float64 `json:"processor_cpu_seconds"` // user and system; 0 for a variant without one
	EnvoyCPU     float64 `json:"envoy_cpu_seconds"`

	Resident     int64   `json:"resident_bytes"`     // of the processor, at the end of the round; 0: not known
	Profiles     int64   `json:"profiles,omitempty"` // that wonted holds then: callers, sessions, addresses, …
	AllocObjects float64 `json:"alloc_objects"`      // heap objects that the processor allocated; 0: not known
	AllocBytes   float64 `json:"alloc_bytes"`        // and their bytes
	GCSeconds    float64 `json:"gc_seconds"`         // CPU that its garbage collection took

	Scored int64 `json:"scored"` // exchanges that wonted says it has judged; -1: not asked
}

// Bin is a bar of a latency histogram.
type Bin struct {
	UpTo  float64 `json:"up_to_ms"` // the highest latency that counts here, milliseconds
	Count int64   `json:"count"`    // requests, of this bin alone
}

// Burst is the p99 of wonted while something else runs in it, and of the same
// rounds without, in pairs.
type Burst struct {
	Name    string    `json:"name"`    // "policy reload", "snapshot of 1,000,000 identities", …
	Without []float64 `json:"without"` // milliseconds, a round each
	With    []float64 `json:"with"`
}

// JSON writes the report, indented, and beside what was measured the figures
// that Text and HTML show, for whoever reads it without this package.
// [ReadReport] reads it back, and derives them anew.
func (r *Report) JSON(w io.Writer) error {
	type figuresOf struct {
		Cell string    `json:"cell"`
		Rows []Figures `json:"variants"`
	}
	out := struct {
		*Report
		Figures []figuresOf `json:"figures"`
		Targets []Verdict   `json:"targets,omitempty"`
	}{Report: r}
	for i := range r.Cells {
		out.Figures = append(out.Figures, figuresOf{r.Cells[i].Name, r.Figures(&r.Cells[i])})
	}
	if r.Plan == PlanFull {
		out.Targets = r.Judge()
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// ReadReport reads what [Report.JSON] wrote. A report of another version is
// refused: its numbers could mean something else. So is one without a cell:
// nothing was measured, which must not look like a run that went well.
func ReadReport(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("no report, or not the whole of one: %w", err)
	}
	if r.Version != reportVersion {
		return nil, fmt.Errorf("a report of version %d; this program reads version %d", r.Version, reportVersion)
	}
	if len(r.Cells) == 0 {
		return nil, errors.New("a report without a cell: nothing was measured")
	}
	return &r, nil
}
