// Package quarantine keeps timed blocks of callers, credentials, sessions,
// addresses, networks and devices: it implements policy.Quarantines.
//
// A Table is asked about every exchange, before anything else is. While nobody
// is under quarantine that is one atomic load; else a look into a hash table for
// each of six entities, without a lock. Who changes it takes one.
//
// A block holds until a moment of event time, and not a nanosecond longer: Find
// compares. Sweep only takes down what has ended, and tells who watches.
//
// # How long
//
// A policy's first quarantine of an entity lasts for the time it asks for, or the
// first rung of the ladder where it asks for none. Each further one in short
// succession is at least the next rung: 5m, 1h, 24h. For every day that passes in
// peace the entity comes down by one rung. What is asked for while a block holds
// changes it only where it asks for longer: requests of one burst are one
// offence. An operator's block lasts as long as they say, takes the place of any
// other, and is not touched by policies; what an operator releases counts as
// never imposed.
//
// # Whom it never hits
//
// never.go: loopback, link-local and, unless configured otherwise, private
// addresses; health checkers and callers that the configuration names. That holds
// for policies and operators alike, and when a journal is loaded.
//
// A policy's block of an address, network or device that more than MaxCallers
// callers in good standing have used within a week is refused and reported, and
// so is an address that the client may have written itself. An operator may force
// the first. standing.go counts these callers.
//
// # What it does not do
//
// Whoever is under way when a block comes is let finish: Find is asked when a
// request comes, by Envoy too. At depth log wonted is told of requests when they
// are over, so that only the blocks of addresses and networks are enforced, which
// Envoy carries out.
//
// # What survives
//
// journal.go. Every change is written, with write(2), before the answer goes out
// that it caused: it survives whatever kills the process. Once a second it is
// made durable: a power cut may lose the last second. Where nothing can be
// written, blocks and releases hold in memory, and the operator is told.
//
// It imports policy and scoring. Time is a parameter. Start with table.go, then
// impose.go.
package quarantine
