package signin

import "bytes"

// pathWords are the segments that sign-in routes are called by, as flat writes
// them.
var pathWords = set("login", "logins", "logon", "signin", "signon", "sso",
	"session", "sessions", "token", "tokens", "oauth", "oauth2", "auth", "authenticate", "authentication", "authorize")

// userFields are what the field of a user's name is called.
var userFields = set("username", "user", "usr", "uname", "login", "loginid", "loginname", "userid", "userlogin", "uid",
	"email", "emailaddress", "mail", "useremail", "account", "accountid", "accountname", "identifier", "handle", "name",
	"phone", "phonenumber", "mobile", "msisdn", "clientid", "sessionusername", "sessionemail", "userusername", "loginemail", "loginusername")

// passwordParts make a field one for a password wherever they stand in its name.
var passwordParts = [][]byte{[]byte("passw"), []byte("passphrase"), []byte("passcode"), []byte("pwd"), []byte("secret")}

// passwordFields are too short to be looked for as a part.
var passwordFields = set("pass", "pin", "pw", "passwd")

func set(words ...string) map[string]bool {
	m := map[string]bool{}
	for _, w := range words {
		m[w] = true
	}
	return m
}

// maxField bounds the names that are looked into; longer ones are of no field
// that is looked for.
const maxField = 40

// flat appends a name in lower case, letters and digits alone: "User-Name",
// "userName" and "user[name]" are one name. It must fit into dst.
func flat(dst, name []byte) ([]byte, bool) {
	for _, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c >= 0x80:
		default:
			continue
		}
		if len(dst) == cap(dst) {
			return nil, false
		}
		dst = append(dst, c)
	}
	return dst, true
}

func isPassword(field []byte) bool {
	for _, part := range passwordParts {
		if bytes.Contains(field, part) {
			return true
		}
	}
	return passwordFields[string(field)]
}

// wordy says whether a segment of the path is one that sign-in routes are
// called by.
func wordy(path []byte) bool {
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		path = path[:i]
	}
	var room [maxField]byte
	for range maxSegments {
		if len(path) == 0 {
			return false
		}
		var s []byte
		s, path, _ = bytes.Cut(path, []byte("/"))
		if dot := bytes.LastIndexByte(s, '.'); dot > 0 { // login.php
			s = s[:dot]
		}
		if word, ok := flat(room[:0], s); ok && pathWords[string(word)] {
			return true
		}
	}
	return false
}

// maxSegments bounds what a hostile path can make us look at.
const maxSegments = 32
