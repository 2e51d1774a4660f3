// Package admin is the HTTP API of operators: the table of its routes, and what
// holds for each of them whatever it does.
//
// A route is registered in one line, with a role and what it does:
//
//	api.Open("GET /healthz", "whether the process is alive", handler)        // everybody
//	api.Read("GET /v1/profiles/{who}", "the profiles that …", handler)       // changes nothing
//	api.Write("DELETE /v1/profiles/{who}", "forgets a profile …", handler)   // changes something
//
// The table is the one source of what there is: GET /v1/ lists it. Answers are
// JSON; what cannot be done is {"error", "hint"} (Refuse). The version is in the
// path: names within /v1 are added to, never changed.
//
// It imports nothing of wonted: cmd/wonted registers the routes. Start with
// api.go.
package admin
