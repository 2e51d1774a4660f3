// Package policy stands between what is known about an exchange and what is
// done with it.
//
// A Gate carries one exchange (a Case) through its life: it asks the Scorer
// how unusual the exchange is, asks the Decider (package policy/rego) what is
// to be done, and answers the carrier (package extproc) with a Verdict. The
// Gate adds what must hold whatever a policy says:
//
//   - a decider that errs, is late or says nothing is replaced by the fail
//     mode, with a metric and the reason;
//   - who is under quarantine is refused before anybody is asked, and what a
//     decision puts under quarantine is so before its answer goes out (block.go);
//   - in shadow mode everything is computed and recorded and nothing is done;
//   - what the carrier tells when all is over (Case.Told) is decided in shadow,
//     whatever the mode: no report says that something was done which was not;
//   - a response budget is resolved against what is usual for the caller, and
//     watched while the response streams;
//   - a rule is in force for whom its stage says (stage.go), nobody is stopped whom
//     an exception names, and a rule that stops callers in good standing is demoted
//     (breaker.go); what is passed over so is told as a shadow verdict (hear.go);
//   - every exchange is completed exactly once, and reported at most once;
//   - of a verdict it is searched what would have passed instead (passing.go).
//
// Manner and StepUp are what a client is told about a challenge or throttle: by
// the rule, else by the configuration.
//
// Rules and Combine hold the one meaning of "many rules fired": the same
// combination is published in Rego for tests (policy/rego/starter/wonted/combine.rego).
//
// It imports scoring (and scoring/profile for names of kinds), prometheus and
// zerolog; never OPA, never Envoy. Time is a parameter. Start with gate.go;
// then combine.go for the contract and budget.go for the response.
package policy
