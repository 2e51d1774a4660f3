package main

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"time"

	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// processor is wonted without the stream: what an exchange passes through.
type processor struct {
	store  *profile.Store
	routes *route.Table
	who    *identity.Resolver
	gate   *policy.Gate
}

func newProcessor(memory profile.Bytes) (*processor, error) {
	config := profile.Config{Memory: memory}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	who, err := identity.New(identity.Default(), identity.NewSecret(), 0)
	if err != nil {
		return nil, err
	}
	rules, err := rego.Default()
	if err != nil {
		return nil, err
	}
	p := &processor{store: profile.New(config), routes: route.New(), who: who}
	p.gate = policy.NewGate(policy.Config{
		Scorer:  scoring.New(scoring.Config{Store: p.store, Routes: p.routes}),
		Decider: rules, Mode: policy.Shadow, Deadline: -1,
	})
	return p, nil
}

// client makes exchanges, one after the other, in its own room.
type client struct {
	policy.Case
	rng  *rand.Rand
	text []byte // what the exchange points into
}

func newClient(seed uint64) *client {
	return &client{rng: rand.New(rand.NewPCG(seed, 0)), text: make([]byte, 0, 1024)}
}

// request is one request in short.
type request struct {
	method, path, key, session, agent []byte
	from                              netip.AddrPort
}

// begin fills in a new exchange.
func (c *client) begin(now time.Time, q *request) {
	c.Reset()
	ex := &c.Exchange
	ex.Time = now
	for i := range 2 {
		v := c.rng.Uint64()
		for j := range 8 {
			ex.ID[8*i+j] = byte(v >> (8 * j))
		}
	}
	ex.Method, ex.Path, ex.Source = q.method, q.path, c.write(func(b []byte) []byte { return q.from.AppendTo(b) })
	ex.Scheme, ex.Host, ex.Protocol = []byte("https"), []byte("api.example.com"), []byte("HTTP/2")
	ex.Headers = append(ex.Headers,
		scoring.Header{Name: []byte("user-agent"), Value: q.agent},
		scoring.Header{Name: []byte("accept"), Value: []byte("application/json")},
		scoring.Header{Name: []byte("x-api-key"), Value: q.key},
		scoring.Header{Name: []byte("cookie"), Value: q.session},
	)
	ex.RequestBytes, ex.ResponseBytes, ex.Records = 0, -1, -1
}

// exchange passes the client's exchange through p, and answers with the status
// and as many bytes.
func (p *processor) exchange(c *client, status int, bytes int64) {
	ex := &c.Exchange
	p.who.Resolve(ex)
	p.gate.Open(&c.Case)
	ex.Status, ex.ResponseBytes = status, bytes
	p.gate.Answer(&c.Case, ex.Time)
	p.gate.Close(&c.Case, scoring.Answered, ex.Time)
}

// write puts text into the client's room.
func (c *client) write(f func([]byte) []byte) []byte {
	start := len(c.text)
	c.text = f(c.text)
	return c.text[start:len(c.text):len(c.text)]
}

// serial writes a prefix and a number.
func (c *client) serial(prefix string, n uint64, base int) []byte {
	return c.write(func(b []byte) []byte { return strconv.AppendUint(append(b, prefix...), n, base) })
}

var agents = [...]string{"okhttp/4.12.0", "python-requests/2.32.3", "acme-mobile/7.4.1 (iPhone; iOS 19.1)", "Go-http-client/2.0"}

// known makes a request of established caller i: its own key, session and
// address, and one of the few things that it asks for.
func (c *client) known(i int, now time.Time) {
	c.text = c.text[:0]
	c.begin(now, &request{
		method: []byte("GET"), path: c.serial("/v1/customers/"+strconv.Itoa(i)+"/orders/", 1000+c.rng.Uint64N(4), 10),
		key: c.serial("ak_live_", uint64(i)*0x9E3779B97F4A7C15, 36), session: c.serial("session=", uint64(i)*0xD1B54A32D192ED03, 36),
		agent: []byte(agents[i%len(agents)]), from: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 40_000),
	})
}

// stranger makes a request of somebody who comes this once: everything about
// it is random.
func (c *client) stranger(now time.Time) {
	c.text = c.text[:0]
	r := c.rng
	c.begin(now, &request{
		method: []byte([]string{"GET", "POST", "PUT", "DELETE"}[r.IntN(4)]), path: c.randomPath(),
		key: c.serial("ak_live_", r.Uint64(), 36), session: c.serial("session=", r.Uint64(), 36),
		agent: c.serial("client/", r.Uint64(), 36), from: c.randomAddress(),
	})
}

func (c *client) randomPath() []byte {
	r := c.rng
	return c.write(func(b []byte) []byte {
		b = append(b, "/v1/"...)
		for range 2 {
			for range 6 {
				b = append(b, byte('a'+r.IntN(26)))
			}
			b = append(b, '/')
		}
		return strconv.AppendUint(b, r.Uint64N(1<<40), 10)
	})
}

// randomAddress is of either family; 10.0.0.0/8 belongs to the established.
func (c *client) randomAddress() netip.AddrPort {
	v, port := c.rng.Uint64(), uint16(1024+c.rng.IntN(60_000))
	if v&1 == 0 {
		a := [4]byte{11 + byte(v>>8)%200, byte(v >> 16), byte(v >> 24), byte(v >> 32)}
		return netip.AddrPortFrom(netip.AddrFrom4(a), port)
	}
	a := [16]byte{0x20, 0x01}
	for i := range 8 {
		a[2+i] = byte(v >> (8 * i))
	}
	a[15] = 1
	return netip.AddrPortFrom(netip.AddrFrom16(a), port)
}
