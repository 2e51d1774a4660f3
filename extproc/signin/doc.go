// Package signin finds the requests that try to sign somebody in, and whom.
//
// It may import scoring and scoring/skim. Start reading at
// [Table]: Look says whether a request's body is worth asking for, Read finds
// the user's name in it, Answered learns from what was answered. body.go looks
// into bodies, words.go has the names that are looked for, config.go the
// `login:` section of the configuration.
//
// # Which bodies are asked for
//
// Bodies hold passwords, so they are asked for where it is needed and nowhere
// else. Where sign-in routes are declared, for these alone. Else a route is
// found by its shape, of which each sign takes over from the one before:
//
//	a candidate   POST, and a segment of its path is a word such as login,
//	              sessions or token; or, once the route is known, an eighth of
//	              its answers are 401 or 403. The bodies of 32 requests are
//	              looked at, afterwards those of one in 256, or of one in eight
//	              while a route with such a word also refuses that many
//	confirmed     one of these bodies had a field for a user and one for a
//	              password. From then on every body is looked at, until 256 in a
//	              row had none
//
// An attempt is a request whose body has both fields: to refresh a token, at
// the same path, is none. Bodies are read as JSON or as a form, 64 KiB of them;
// what is longer, compressed or of another type cannot be read. On a declared or
// confirmed route such a request is an attempt all the same, by a name of its
// own: or padding would be a way to hide.
//
// A name is all that leaves the package, lower-case and without space around
// it, for its caller to hash. Values of other fields are skipped, not copied.
//
// What is known of routes lasts as long as the process.
//
// What is not found: a sign-in whose steps are requests of their own (a name
// first, then a password), or whose route is neither declared, nor called by one
// of the words, nor ever answers 401 or 403.
package signin
