package scoring

import (
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// ID is the random name of one exchange. Its hex form is the decision id that
// a denied caller sees and an analyst finds again.
type ID [16]byte

// String returns 32 hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Header is one header line. Duplicates are separate lines, in wire order.
type Header struct{ Name, Value []byte }

// Namespace is one namespace of Envoy's filter metadata: Struct is an encoded
// google.protobuf.Struct, read only where an identity rule asks.
type Namespace struct{ Name, Struct []byte }

// Identity is one entity of an exchange.
type Identity struct {
	Kind     profile.Kind
	Key      profile.Key
	Name     []byte // display name, empty where none is configured
	Verified bool   // the proxy vouches for it (mTLS, jwt_authn, filter metadata)
	Rule     string // the rule that named it: "header x-api-key"
}

// Exchange is one request with its response, as far as it has got. One
// goroutine at a time owns it. Byte slices point into buffers that live as
// long as the exchange does; copy what must live longer. Reset makes it
// reusable; a copy would share what Begin has noted.
type Exchange struct {
	ID   ID
	Time time.Time // the local clock at the request headers; never decreases within a process

	// The request, as Envoy sent it.
	Method, Scheme, Host, Path, Protocol []byte // Path with query
	Headers                              []Header
	RequestBytes                         int64  // body bytes declared or seen; -1 unknown
	Source                               []byte // attribute source.address, "ip:port"
	JA4                                  []byte // from gRPC metadata, which a client cannot write
	Country                              []byte // where the address lies, two letters (ISO 3166-1); empty: not known
	PeerURISAN, PeerDNSSAN, PeerSubject  []byte // of a client certificate that Envoy has verified
	Metadata                             []Namespace

	// Who is calling: set by identity. Index by Kind; Kind 0 where absent.
	Address   netip.Addr
	Entities  [profile.KindCount]Identity
	Companion profile.Key // a losing source of the caller's kind that disagrees; zero if none
	Contested bool        // one header that an identity rule reads carried several different values
	ACR       []byte      // how the user of a verified token has signed in: its claim acr; empty: not known
	AuthTime  int64       // when: its claim auth_time, seconds since 1970; 0: not known
	Names     []byte      // room for composed display names; Reset keeps its capacity

	// What it asks for. The operation is set before Scorer.Begin, where the body
	// tells it (Scorer.ReadOperation); the route by Scorer.Begin.
	Operation string
	Route     route.Match

	SignIn SignIn // set before Scorer.Attempt, where the request tries to sign somebody in

	// The response.
	Status        int   // 0 until known
	ResponseBytes int64 // declared at the headers, then as metered; -1 unknown
	Records       int64 // metered; -1 unknown
	Duration      time.Duration

	Assessment Assessment
	scratch    *scratch // made by the first Begin, kept by Reset
}

// SignIn is what is known of an attempt to sign somebody in.
type SignIn struct {
	User    profile.Key // keyed hash of the name that was given; zero: no attempt
	Success Statuses    // that say that it was let in
}

// Statuses is a range of response statuses, both ends included.
type Statuses struct{ Least, Most int }

// Hold says whether the status is one of them.
func (s Statuses) Hold(status int) bool { return s.Least <= status && status <= s.Most }

// End says how an exchange ended.
type End uint8

// The ends. The zero End teaches nothing.
const (
	Unknown   End = iota // the stream broke off, or the deadline closed it
	Answered             // the upstream answered; Status, ResponseBytes and Records are final
	Refused              // we answered in its place: nothing is learned, and it is no evidence
	Truncated            // we cut the response
)
