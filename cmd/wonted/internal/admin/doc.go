// Package admin is the HTTP API of operators: the table of its routes, and what
// holds for each of them whatever it does.
//
// A route is registered in one line, with a role and what it does:
//
//	api.Open("GET /healthz", "whether the process is alive", handler)                        // everybody
//	api.Read("GET /v1/profiles/{who}", "the profiles that …", profileList{}, handler)        // changes nothing
//	api.Write("DELETE /v1/profiles/{who}", "forgets a profile …", nil, forgotten{}, handler) // changes something
//	api.Undo("DELETE /v1/quarantines/{id}", "releases …", released{}, handler)               // changes it back
//
// The table is the one source of what there is: GET /v1/ lists it, and GET
// /v1/openapi.json is made of it, and of the types of what is taken and
// answered. Answers are JSON; what cannot be done is
// {"error", "hint"} (Refuse). The version is in the path: names within /v1 are
// added to, never changed.
//
// # Who may ask
//
// Config is the section admin_auth. Without tokens and client certificates
// nobody is asked who they are, and the listener must be on loopback. With any,
// everybody is asked, on loopback too: 401 where nobody knows who asks, 403
// where the role does not do, 429 after ten wrong tokens from an address, for a
// second each. What there is not answers 401 as well. Tokens are compared by
// their SHA-256, all of them and in constant time. Pages of other sites change
// nothing (http.CrossOriginProtection).
//
// # What is written down
//
// Each change has two lines in the audit trail (Entry), one before it is made
// and one with its outcome, each on the disk before wonted goes on. What cannot
// be written down is refused with 507: nobody changes anything unseen by filling
// the disk. If the disk is full only by the time that it is done, the first line
// is there, and log and /readyz tell. An Undo is done with a full disk, too, and
// told by log and /readyz alone: who is refused by mistake cannot wait for room.
//
// What a client wrote into the path is hashed, unless it is a hash of ours that
// was found: it may be an API key. A handler adds whom it was about and why with
// Note; ?reason= is taken anyway.
//
// It imports nothing of wonted: cmd/wonted registers the routes. Start with
// api.go.
package admin
