package identity

import (
	"bytes"
	"strconv"

	"github.com/wonted-project/wonted/scoring"
)

// The claims by which a token says how its user has signed in, and when, in
// seconds since 1970 (OpenID Connect Core 1.0, 2). A challenge asks for these
// (RFC 9470): with them a policy knows that it was met.
const (
	claimACR      = "acr"
	claimAuthTime = "auth_time"
)

// assure sets ACR and AuthTime by the verified tokens of a request. Where there
// are several, all must name the same acr, and the oldest time counts: who holds
// a stolen token could put a fresh one of his own beside it.
func assure(ex *scoring.Exchange) {
	first := true
	for i := range ex.Metadata {
		m := &ex.Metadata[i]
		if string(m.Name) != jwtNamespace {
			continue
		}
		for w := (walk{rest: m.Struct}); w.next(); {
			token := parseValue(w.value)
			if token.kind != 5 {
				continue
			}
			acr, at, payload := assurance(token.bytes, &ex.Names)
			switch {
			case !payload:
			case first:
				ex.ACR, ex.AuthTime, first = acr, at, false
			default:
				if !bytes.Equal(acr, ex.ACR) {
					ex.ACR = nil
				}
				ex.AuthTime = min(ex.AuthTime, at)
			}
		}
	}
}

// assurance reads both claims of a token: nil and 0 where they are missing. What
// has an alg is a token's header, which Envoy can leave there, too.
func assurance(claims []byte, room *[]byte) (acr []byte, at int64, payload bool) {
	for w := (walk{rest: claims}); w.next(); {
		switch string(w.key) {
		case "alg":
			return nil, 0, false
		case claimACR:
			v := parseValue(w.value)
			acr = v.text(room)
		case claimAuthTime:
			v := parseValue(w.value)
			at = v.seconds()
		}
	}
	if len(acr) == 0 {
		acr = nil
	}
	return acr, at, true
}

// seconds is the value as a time since 1970, as a number or as the text that a
// recording has of one; 0: it is none.
func (v *value) seconds() int64 {
	if v.kind == 3 && len(v.bytes) <= 16 {
		n, _ := strconv.ParseInt(string(v.bytes), 10, 64)
		return max(0, n)
	}
	if v.kind == 2 && v.number >= 1 && v.number < 1<<53 { // false of NaN
		return int64(v.number)
	}
	return 0
}
