// Command flood asks what happens when it rains: more identities, routes,
// objects and devices than can be kept, and more open exchanges than can be
// served. It prints each number beside its bound and ends with 1 where one is
// missed.
//
//	go run ./bench/flood              # all, each in a process of its own
//	go run ./bench/flood identities   # one: identities, sprawl or streams
//
// A flood runs through wonted's own code in this process: identity rules, Gate,
// scorer, store and the default policy, in "streams" behind the gRPC server as
// well. The mode is shadow, so that whom the policy would refuse comes through
// to the store all the same. It may import any package of wonted. Start
// reading at main.go, then identities.go; persons.go says who calls. Its tests
// are the same floods, small, without a bound on times and resident memory.
package main
