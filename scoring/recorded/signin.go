package recorded

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// appendSignIn writes, in the place of a sign-in's body, one that signs in a
// tilde and the user's key in hex: the keyed hash by which profiles and reports
// know the user as well. No password has come as far as here.
//
// Other hashes of a recording are hashed again in a replay. This one is taken as
// it is (see [User]): distinct names are counted in sketches of their hashes,
// and other hashes would make other scores.
func appendSignIn(b []byte, in *scoring.SignIn) []byte {
	if in.User == (profile.Key{}) {
		return b
	}
	var key [16]byte
	binary.BigEndian.PutUint64(key[:8], in.User.Hi)
	binary.BigEndian.PutUint64(key[8:], in.User.Lo)
	b = append(b, `,"request_body":"{\"username\":\"~`...)
	b = appendHex(b, key[:])
	return append(b, `\",\"password\":\"***\"}"`...)
}

// User is the key that stands for a user in a recording; false where the name is
// a name.
func User(name []byte) (profile.Key, bool) {
	var key [16]byte
	if len(name) != 1+2*len(key) || name[0] != '~' {
		return profile.Key{}, false
	}
	if _, err := hex.Decode(key[:], name[1:]); err != nil {
		return profile.Key{}, false
	}
	return profile.Key{Hi: binary.BigEndian.Uint64(key[:8]), Lo: binary.BigEndian.Uint64(key[8:])}, true
}
