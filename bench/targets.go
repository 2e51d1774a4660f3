package bench

// target is what a figure of the full plan has been set to be. Its unit is
// that of its measure, or none where there is a reference: it is a ratio then.
type target struct {
	says      string // of whom, and at what load
	cell      string
	variant   string
	measure   measure
	reference reference
	atMost    float64 // one of the two is set, unless most is 0: no errors
	atLeast   float64
	stretch   float64 // what would be better still; 0: nothing said
}

// reference is what a target's measure is divided by; the zero one is nothing.
type reference struct {
	variant   string
	cell      string // "": the target's own, in paired rounds
	aboveBare bool   // both sides are what they add to bare
}

var (
	toNoop      = reference{variant: Noop}
	aboveBare   = reference{variant: Noop, aboveBare: true}
	toBodies    = reference{variant: noopBodies}
	toOPA       = reference{variant: "opa"}
	toThousands = reference{cell: "c16"} // the same variant, with 1,000 callers
)

// moreCPU is what two Ps may cost more than one, as a ratio to noop: wake-ups
// between them.
const moreCPU = 0.12

// burstLimit is what something that runs beside traffic may add to p99, ms.
const burstLimit = 5

// targets of the full plan, with GOMAXPROCS=1 unless a line says otherwise.
// Noop is grpc-go's defaults, whatever the variant: these are not tuned
// against a straw man, and the notes of the run say what noop is.
var targets = []target{
	{says: "headers, 16 in flight", cell: "c16", variant: "wonted-headers", measure: processorCPU, reference: toNoop, atMost: 0.45, stretch: 0.40},
	{says: "headers, 16 in flight", cell: "c16", variant: "wonted-headers", measure: perSecond, reference: toNoop, atLeast: 1.30, stretch: 1.35},
	{says: "adaptive, 16 in flight", cell: "c16", variant: "wonted-adaptive", measure: processorCPU, reference: toNoop, atMost: 0.40, stretch: 0.33},
	{says: "adaptive, 16 in flight", cell: "c16", variant: "wonted-adaptive", measure: perSecond, reference: toNoop, atLeast: 1.40, stretch: 1.50},
	{says: "log, 16 in flight", cell: "c16", variant: "wonted-log", measure: processorCPU, reference: toNoop, atMost: 0.15},
	{says: "log, 16 in flight", cell: "c16", variant: "wonted-log", measure: perSecond, reference: toNoop, atLeast: 2.1},

	{says: "headers, 1 in flight", cell: "c1", variant: "wonted-headers", measure: processorCPU, reference: toNoop, atMost: 0.50},
	{says: "headers, 1 in flight", cell: "c1", variant: "wonted-headers", measure: perSecond, reference: toNoop, atLeast: 1.20},
	{says: "adaptive, 1 in flight", cell: "c1", variant: "wonted-adaptive", measure: processorCPU, reference: toNoop, atMost: 0.50},
	{says: "adaptive, 1 in flight", cell: "c1", variant: "wonted-adaptive", measure: perSecond, reference: toNoop, atLeast: 1.20},
	{says: "headers, 64 in flight", cell: "c64", variant: "wonted-headers", measure: processorCPU, reference: toNoop, atMost: 0.50},
	{says: "headers, 64 in flight", cell: "c64", variant: "wonted-headers", measure: perSecond, reference: toNoop, atLeast: 1.15},
	{says: "adaptive, 64 in flight", cell: "c64", variant: "wonted-adaptive", measure: processorCPU, reference: toNoop, atMost: 0.50},
	{says: "adaptive, 64 in flight", cell: "c64", variant: "wonted-adaptive", measure: perSecond, reference: toNoop, atLeast: 1.15},

	{says: "headers, 512 in flight", cell: "c512", variant: "wonted-headers", measure: failed},
	{says: "headers, 512 in flight", cell: "c512", variant: "wonted-headers", measure: p99, reference: toNoop, atMost: 1},
	{says: "adaptive, 512 in flight", cell: "c512", variant: "wonted-adaptive", measure: failed},
	{says: "adaptive, 512 in flight", cell: "c512", variant: "wonted-adaptive", measure: p99, reference: toNoop, atMost: 1},

	{says: "headers, 16 in flight", cell: "c16", variant: "wonted-headers", measure: p50, reference: aboveBare, atMost: 0.70},
	{says: "headers, 16 in flight", cell: "c16", variant: "wonted-headers", measure: p99, reference: aboveBare, atMost: 0.85},
	{says: "adaptive, 16 in flight", cell: "c16", variant: "wonted-adaptive", measure: p50, reference: aboveBare, atMost: 0.70},
	{says: "adaptive, 16 in flight", cell: "c16", variant: "wonted-adaptive", measure: p99, reference: aboveBare, atMost: 0.85},

	{says: "bodies, 100 KB of JSON", cell: "bodies", variant: "wonted-bodies", measure: processorCPU, reference: toBodies, atMost: 0.8},

	{says: "1e6 callers to 1,000", cell: "1e6", variant: "wonted-adaptive", measure: processorCPU, reference: toThousands, atMost: 1.3},
	{says: "1e6 callers to 1,000", cell: "1e6", variant: "wonted-adaptive", measure: p99, reference: toThousands, atMost: 1.5},
	{says: "1e6 callers, each profile", cell: "1e6", variant: "wonted-adaptive", measure: perProfile, atMost: 1.1},

	{says: "beside opa-envoy-plugin", cell: "c16", variant: "wonted-adaptive-enforce", measure: processorCPU, reference: toOPA, atMost: 0.25},
	{says: "beside opa-envoy-plugin", cell: "c16", variant: "wonted-adaptive-enforce", measure: perSecond, reference: toOPA, atLeast: 1.5},

	{says: "headers, 16, 2 procs", cell: "c16 2 procs", variant: "wonted-headers", measure: processorCPU, reference: toNoop, atMost: 0.45 + moreCPU},
	{says: "adaptive, 16, 2 procs", cell: "c16 2 procs", variant: "wonted-adaptive", measure: processorCPU, reference: toNoop, atMost: 0.40 + moreCPU},
	{says: "log, 16, 2 procs", cell: "c16 2 procs", variant: "wonted-log", measure: processorCPU, reference: toNoop, atMost: 0.15 + moreCPU},
	{says: "adaptive, 64, 2 procs", cell: "c64 2 procs", variant: "wonted-adaptive", measure: processorCPU, reference: toNoop, atMost: 0.50 + moreCPU},
}
