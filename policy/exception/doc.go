// Package exception keeps exceptions from rules: somebody's word, for a time,
// that what a rule wants is not to be done to some exchanges.
//
// An Exception has an owner, a reason and an end, and says of which exchanges it
// is: by caller, credential, address, network, route and rule; all that it names
// must match. It lifts what rules want (deny, challenge, throttle, response
// budgets), not what an operator has put into quarantine by hand: who does that
// knows more than who wrote the exception. It is in force for exchanges whose
// request came before its end, to the nanosecond; afterwards it stays listed for
// Keep, so that it can be seen why something passed.
//
// A List is asked by policy.Gate only about exchanges that some rule wants
// stopped. It is a JSON file in data_dir, which cmd writes. It imports policy and
// scoring; time is a parameter. Start with exception.go, then list.go.
package exception
