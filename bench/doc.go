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
// All processes of a scene (the same callers, the same cores) stay up and idle
// until their turn, and share the machine with the load and the API. So figures
// are of this machine, and hold for others as ratios between variants of one
// run. What the harness itself burns flattens these ratios; that is why its API
// and its HTTP/1.1 client are plain (see http1) and profiles are filled before.
//
// It may import package envoy and nothing of wonted's inside: what it measures
// is the program, and what only the inside can do, filling profiles, it is given
// (Plan.Prefill). Start reading at run.go, then cell.go; traffic.go is the load,
// variant.go what stands in Envoy's path, report.go what is left. Times are
// reported and never gate a test.
package bench
