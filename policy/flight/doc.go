// Package flight is the flight recorder: it remembers the last exchanges of
// callers that have become suspicious, those before included, so that what
// happened can be told from its first act.
//
// Every exchange is taken down in 32 bytes when it is over. Those of callers that
// are not suspicious go round in a small ring that some of them share; when one
// is (half of the threshold reached, anomalous, or anything but plainly allowed),
// it gets a ring of its own, which begins with what the shared one still has of
// it, and from then on holds its last 64 exchanges, odd or not. The table is
// bounded, 1 MiB and 2 KiB for each of 2,048 suspects; the one that was suspicious
// the longest ago makes room. Names are no part of it: routes and objects are ids
// and hashes.
//
// Recorder is a policy.Recorder; the package imports policy and scoring. Time is
// the exchanges' own. Start with recorder.go.
package flight
