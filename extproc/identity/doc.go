// Package identity says who is calling, and which source of that knowledge is
// to be trusted.
//
// A [Resolver] reads the rules of the configuration's `identity:` list and sets
// an exchange's entities: caller, credential, session and user where a rule
// names them, address, network and device always. Three principles:
//
//   - Within a kind the first rule that finds a value wins, but a source that
//     the proxy vouches for (client certificate, jwt_authn, filter metadata)
//     wins over one that a client can write, whatever their order. Otherwise a
//     stolen token with a fresh x-api-key a request would be a fresh caller a
//     request.
//   - What lost and disagrees is not thrown away: it becomes the exchange's
//     Companion, and a caller that suddenly has many companions is evidence.
//   - Where a source gives several different values (two x-api-key headers) the
//     upstream may believe either, so it names nobody: the next rule decides,
//     and what was found becomes the companion. A thief could hide a stolen key
//     in that way, so the exchange is marked as Contested, and the default
//     policy refuses it. Cookies are not counted: browsers send two of one name
//     where they were set for different paths.
//
// Claims are read from verified metadata only, never from an Authorization
// header. What they tell of how somebody has signed in (acr, auth_time) is kept
// for policies: see assurance.go.
//
// Values never leave the package in the clear: an entity is a keyed hash
// ([Resolver.Key]), with a display name only where a rule asks for one.
//
// Imports scoring and scoring/profile. Start reading at Resolver.Resolve.
package identity
