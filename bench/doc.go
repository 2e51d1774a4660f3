// Package bench measures what wonted costs, from outside: real Envoys, the real
// program, the same load for all, and beside it nothing ([Bare]), an external
// processor that decides nothing ([Noop], package bench/noop) and processors of
// others.
//
// [Run] carries out a [Plan] and leaves a [Report]. A plan's points are cells;
// in each, every round visits every variant in turn:
//
//	settle    wait until wonted has judged all that was sent before
//	warm up   the load, not counted
//	measure   the load; processor time of Envoy and processor before and after
//	settle    and compare: as many exchanges judged as requests sent
//
// Clients of a closed loop that ask again at once fall into step behind Envoy's
// one worker and one processor: what arrives together is handled in batches of
// like events, and who treats all requests alike gains. On one configuration
// that differed only in the share of requests whose response was asked for,
// Envoy's CPU a request at a share of one half was 1.18 (1.08–1.28) times the
// mean of shares 0 and 1; among clients that thought for 500 µs on average it was
// 0.95 (0.92–1.05) times. At a share of 5 %, about adaptive's, it was 0.98
// (0.93–1.14) and 0.87 (0.86–0.98): less than two processes that are alike may
// differ by. So both plans have c16 twice, without thinking and
// with; nothing else differs, and both are shown.
//
// All processes of a scene (the same callers, the same cores) stay up and idle
// until their turn, and share the machine with the load and the API. So figures
// are of this machine, and hold for others as ratios between variants of one
// run. What the harness itself burns flattens these ratios; that is why its API
// and its HTTP/1.1 client are plain (see http1) and profiles are filled before.
//
// # Scale-out
//
// With the figures of a report: c is the processor's CPU µs a request, b Envoy's
// at bare and e what it spends more (cell c16, for two cores "c16 2 procs"), m
// the resident bytes a caller (cell 1e6), R requests/s.
//
// What one core carries. One core is one server, and what waits for it grows as
// ρ/(1−ρ) of its load ρ (M/G/1, Pollaczek and Khinchine): at 0.6, a request waits
// about as long as it is served, and at 0.9 six times that. So
//
//	requests/s of a core      = 0.6e6 / c
//	cores of wonted for R     = R · c / 0.6e6
//	cores more of Envoy for R = R · e / 0.6e6
//
// Several wonted do not share profiles; they share callers out. Envoy hashes the
// identity on a ring (envoy.Options.Replicas), and k of them carry k/h cores'
// load, where h is what the busiest gets of a fair share. TestScaleOut simulates
// it with the callers of this harness, the median of three rings:
//
//	                    k = 2      8     32
//	    1,000 callers    1.01   1.24   1.97
//	1,000,000 callers    1.01   1.18   1.61
//
// c is that of the requests in flight at one wonted, not at Envoy: with half of
// them, fewer messages share a wake-up. Two of one core each against one, depth
// headers, on 2 cores with all else (Envoy has one worker), medians of the rounds of three runs:
//
//	wonted bench load --variants noop,wonted-headers,wonted-headers-x2 --concurrency 16,64 --rounds 8 --duration 700ms
//
//	two to one        CPU of both        Envoy's CPU        requests/s         p99
//	16 in flight   1.54 (1.42–1.60)   1.27 (1.22–1.34)   0.83 (0.79–0.86)   1.10 (1.02–1.32)
//	64 in flight   1.25 (1.21–1.36)   1.11 (1.04–1.24)   0.92 (0.84–1.00)   1.10 (0.99–1.22)
//
// To noop, the CPU of both is 0.71 and 0.73 where that of one is 0.48 and 0.58.
// So a second wonted is no gain as long as one core carries the load (Envoy is
// what is full here); it is what there is beyond that, or for the memory.
//
// What breaks first at R = 1e6:
//
//   - The busiest caller: it cannot be divided, so its share p of all requests
//     must fit one core, p · R · c ≤ 0.6e6. The harness's has p = 1.8 % of a
//     million callers' requests: 18,000/s, and c must stay below 33 µs.
//   - Then Envoy, which needs R · (b+e) / 0.6e6 cores where wonted needs
//     R · c · h / 0.6e6: whichever has fewer.
//   - Depths that read the access log (log, lean, adaptive): its stream is a
//     worker's, of all callers, and cannot be shared out. More than one wonted
//     behind an Envoy means headers or bodies, at their c and e; or one wonted
//     for each Envoy, and callers shared out in front of Envoy.
//   - What callers have in common, routes, networks and devices, is learned by
//     every wonted from its own part alone: what is counted across callers is
//     seen k times later.
//   - Memory is the last: m · callers / k for each.
//
// It may import package envoy and nothing of wonted's inside: what it measures
// is the program, and what only the inside can do, filling profiles, it is given
// (Plan.Prefill). Start reading at run.go, then cell.go; traffic.go is the load,
// variant.go what stands in Envoy's path, report.go what is left. Times are
// reported and never gate a test.
package bench
