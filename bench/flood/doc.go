// Command flood asks what happens when it rains: more identities, routes,
// objects and devices than can be kept, and more open exchanges than can be
// served. It prints each number beside its bound and ends with 1 where one is
// missed.
//
//	go run ./bench/flood              # all, each in a process of its own
//	go run ./bench/flood identities   # one: identities, sprawl or streams
//
// A flood runs through wonted's own code in this process: identity rules, Gate,
// scorer and store, in "streams" behind the gRPC server as well. The policy is a
// stand-in that allows everything: it keeps nothing, and what is refused would
// cost the store less, not more. It may import any package of wonted. Start
// reading at main.go, then identities.go; persons.go says who calls. Its tests
// are the same floods, small, without a bound on times and resident memory.
package main
