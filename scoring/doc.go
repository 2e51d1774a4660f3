// Package scoring says how unusual an exchange is for whoever sent it.
//
// An Exchange is one request with its response; its Entities are the caller,
// its credential, the address and so on, each with a profile.Record. The Scorer
// carries an exchange through these steps:
//
//	Begin     the request is counted in every entity's rings, and judged
//	Attempt   of a sign-in: whom it is to sign in is known, and judged
//	Answer    the response's status and size are known: the volume is judged
//	Meter     the same, as the body passes
//	Complete  what the upstream accepted is learned, once
//
// A detector (detector.go has the list, one file each) compares what it sees
// with what is usual for one entity and finds surprise, S = -log2 p bits. The
// Calibrator makes a score of all of them: -log10 p, 0 to 12. What is usual
// lies in the records; cohort.go has what is believed before anything is known.
//
// Peers are whom an identity is compared with: a cohort (peers.go), found by
// behaviour (behaviour.go) or set by the operator (named.go), and a level of
// maturity. norms.go has what the members of a cohort have in common; a lasting
// change of habits is accepted by challenger.go and succession.go. Who knows all
// this and climbs slowly is held by speed limits: of means and spreads (anchor.go),
// and of the most that was ordinary (precedent.go). What several
// replicas know of one identity is put together by replicas.go and merge.go.
//
// Start reading at scorer.go, then rate.go as the simplest detector, then
// complete.go for what may be learned. The package imports window, profile,
// calibrate and route, and nothing of wonted above it. Time is a parameter.
package scoring
