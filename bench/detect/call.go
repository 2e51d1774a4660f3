package detect

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Call is one exchange as it was planned, request and answer. It is a value of
// numbers, so that millions of them cost no garbage; fill makes an Exchange of
// it and line a recorded one.
type Call struct {
	At    int64 // milliseconds since the epoch, UTC
	Took  int32 // milliseconds
	Route uint8
	From  Class

	// Who asks; 0: that entity is not there.
	Caller, Credential, Session uint32
	User                        uint32 // whom it tries to sign in
	Address                     Address
	Device                      uint32

	// What is asked for.
	Object uint64 // in the path, of a route that has one
	Limit  uint32 // of a list: what the query asks for
	Path   string // in place of the route's, for what the API does not know; "" else
	Method string // in place of the route's; "" else

	Status       uint16
	Bytes        int64 // -1: none was declared
	Records      int64 // -1: not counted
	RequestBytes int64
}

// Address is an IPv4 address. Its first byte stands for the country, its first
// three are the network.
type Address uint32

// AddressOf is a host in a network of a country: 64 countries of 65,536
// networks each.
func AddressOf(country uint8, network uint16, host uint8) Address {
	return Address(20+uint32(country&63))<<24 | Address(network)<<8 | Address(host)
}

func (a Address) network() uint32 { return uint32(a) >> 8 }
func (a Address) country() int    { return int(a>>24) - 20 }
func (a Address) addr() netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}
func (a Address) code() (two []byte) {
	c := a.country() * 2
	return countries[c : c+2 : c+2]
}

// countries are 64 codes; the first few are where most callers live.
var countries = []byte("DEFRNLATCHPLESITGBUSSEDKCZBEPTIEROHUBGGRFINOSKHRSIEELVLTLUMTTRUAJPKRINCNSGAUNZBRARMXCACLCOZANGKEEGMAAEILVNTHIDPHMYTWHKRUPKBDLKPE")

// path appends the path with its query.
func (c *Call) path(b []byte) []byte {
	if c.Path != "" {
		return append(b, c.Path...)
	}
	e := &api[c.Route]
	b = append(b, e.path...)
	switch {
	case e.of != none && uuids[e.of]:
		b = appendUUID(b, c.Object)
	case e.of != none:
		b = strconv.AppendUint(b, c.Object, 10)
	case e.list && e.path[len(e.path)-1] == '=':
		b = strconv.AppendUint(b, uint64(c.Limit), 10)
	}
	return append(b, e.after...)
}

func (c *Call) method() string {
	if c.Method != "" {
		return c.Method
	}
	return api[c.Route].method
}

// appendUUID writes a UUID made of n, the same for the same n.
func appendUUID(b []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], mix(n))
	binary.BigEndian.PutUint64(raw[8:], mix(n+0x9E3779B97F4A7C15))
	for i, c := range raw {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// keyOf is the key of an entity: what stands in for the keyed hash of its name.
func keyOf(kind profile.Kind, n uint64) profile.Key {
	h := uint64(kind)<<56 ^ n
	return profile.Key{Hi: mix(h), Lo: mix(h ^ 0xA5A5_5A5A_C3C3_3C3C)}
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// filler makes exchanges of calls, in one buffer after the other.
type filler struct{ buf []byte }

// fill sets the request of ex, whose Reset it calls, with all entities named
// directly: what identity rules would find. A call without a caller is its
// address's, as the default rules have it.
func (f *filler) fill(ex *scoring.Exchange, c *Call) {
	ex.Reset()
	ex.Time = at(c.At)
	f.buf = append(f.buf[:0], c.method()...)
	n := len(f.buf)
	f.buf = c.path(f.buf)
	ex.Method, ex.Path = f.buf[:n:n], f.buf[n:]
	ex.Address, ex.Country = c.Address.addr(), c.Address.code()
	ex.RequestBytes, ex.ResponseBytes, ex.Records = c.RequestBytes, -1, -1

	set := func(kind profile.Kind, n uint64, verified bool) {
		ex.Entities[kind] = scoring.Identity{Kind: kind, Key: keyOf(kind, n), Verified: verified}
	}
	switch {
	case c.Caller != 0:
		set(profile.KindCaller, uint64(c.Caller), c.From == person || c.From == partner) // a token that the proxy has checked, or a key
	default:
		set(profile.KindCaller, 1<<40|uint64(c.Address), false)
	}
	if c.Credential != 0 {
		set(profile.KindCredential, uint64(c.Credential), false)
	}
	if c.Session != 0 {
		set(profile.KindSession, uint64(c.Session), false)
	}
	if c.User != 0 {
		ex.SignIn = scoring.SignIn{User: keyOf(profile.KindUser, uint64(c.User)), Success: scoring.Statuses{Least: 200, Most: 399}}
	}
	set(profile.KindAddress, uint64(c.Address), false)
	set(profile.KindNetwork, uint64(c.Address.network()), false)
	if c.Device != 0 {
		set(profile.KindDevice, uint64(c.Device), true)
	}
}

// answer sets what the response says.
func (c *Call) answer(ex *scoring.Exchange) {
	ex.Status, ex.ResponseBytes, ex.Records = int(c.Status), c.Bytes, c.Records
}
