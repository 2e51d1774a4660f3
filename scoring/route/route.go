// Package route folds request paths into routes: "GET /v1/orders/17?x=1" is the
// route "GET /v1/orders/{id}" and the object 17 on it. Profiles compare a caller
// with others on the same route and count the objects it touches.
//
// What is a placeholder is decided in this order:
//
//	description  a word that the API's description names is a word, and what it
//	             calls a parameter is {id} (Seed)
//	shape        17, a UUID, a hash, a date, a token: whatever was seen before
//	learned      at a place with too many different words they are values:
//	             /v1/tenants/acme/orders becomes /v1/tenants/{id}/orders (fold.go)
//
// The name of a placeholder is {id}, or {date} where its shape is a date,
// whatever a description calls it; so names stay as they are when a description
// is given or taken away.
//
// Where one path takes whatever is asked for, GraphQL, JSON-RPC and MCP, the
// operation is a part of the route: "POST /mcp#tools/call/search". carry.go says
// which paths these are, body.go what an operation is called. Its name is what the
// client wrote: a GraphQL document may be called GetOrders and ask for users, so
// a rule about an operation tells usual from unusual, and keeps nobody from what
// the server would let him have. What cannot be read has the path's own route,
// "POST /mcp", and several operations at once are "batch": a policy that refuses
// an operation should refuse these two as well.
//
// Only what the upstream answered well is learned from, and everything learned
// is bounded. Save and Load keep what was learned over a restart; the same
// routes in the same order are always folded alike.
//
// Start reading at Table.Match; split.go cuts the path, shape.go tells words
// from ids, guide.go has what is decided otherwise, version.go finds the API's
// version. The package imports nothing of wonted.
package route

import (
	"sync"
	"sync/atomic"

	"github.com/zeebo/xxh3"
)

// MaxRoutes bounds the routes of a Table, the fallbacks not counted.
const MaxRoutes = 4096

// Match is where one request goes.
type Match struct {
	ID           uint32 // hash of Name, the same in every process; never 0
	Known        bool   // in the table: an accepted answer was seen here, or it is described, or a fallback
	Name         string // "GET /v1/orders/{id}", printable ASCII; shared by all matches of a known route
	Object       uint64 // hash of the full template and its placeholder values; 0 where the path has none
	Number       uint64 // of the last placeholder: 17 of /orders/17, 10017 of /orders/order-10017; 0 where it is no integer
	Placeholders int    // in the path, "/*" counts as one; not among what policies read
	Method       uint8  // its place in a fixed list, GET first; what is invented shares the last
	Version      uint16 // hash of the API version that the path names, "v2"; 0: none

	// Operation is which of the many things it asks for that the path does:
	// "GetOrders" of GraphQL, "tools/call/search" of MCP, "shop.v1.Orders/Get" of
	// gRPC. Empty where the path says it all, or it is not known (yet).
	Operation string

	entry *entry // of a known route that is no fallback
}

// entry is one route of the table.
type entry struct {
	id     uint32
	name   string
	hits   atomic.Uint32 // accepted requests, of the first often
	folded []uint32      // routes that have become this one, while a fold is under way
}

// often is as far as the requests of a route are counted. Beyond it a busy
// route is only read, and its line stays in every processor's cache.
const often = 255

func (e *entry) hit() {
	if e.hits.Load() < often {
		e.hits.Add(1)
	}
}

func (e *entry) seen() int { return int(min(e.hits.Load(), often)) }

// slots is a power of two that keeps the table at most half full, so that a
// probe ends after a step or two.
const slots = 2 * MaxRoutes

// view is what readers see: a slot goes from nil to its entry once and stays,
// until a fold makes another view.
type view struct {
	guide *guide // nil: shapes alone decide; a name to keep decides nothing yet
	slots [slots]atomic.Pointer[entry]
}

// Table is the set of known routes. Readers take no lock. Safe for concurrent
// use.
//
// A request adds no route; only Learn does, and it is called where the upstream
// has answered well. A scanner of random words therefore cannot fill the table
// with paths that do not exist. Until then Match still names the exact template,
// so that a policy about a route holds from its first request, at the price of
// one allocation for the name.
type Table struct {
	view      atomic.Pointer[view]
	full      atomic.Bool
	fallbacks [len(methods) + 1]entry // "METHOD /*"

	mu       sync.Mutex // of the writers
	routes   []*entry   // in the order in which they came
	evidence *evidence
	folds    []fold
	seeds    []string // names of the description's routes
	carried  []string // paths of Carry
	kept     []string // names that a policy reads
	merged   bool     // there is something for merges to tell
}

// New returns an empty table.
func New() *Table {
	t := &Table{evidence: new(evidence)}
	t.view.Store(new(view))
	for i := range t.fallbacks {
		name := methodName(i) + " /*"
		e := &t.fallbacks[i]
		e.id, e.name = routeID(xxh3.HashString(name)), name
	}
	return t
}

// Match templates a path and looks it up. The query and what follows it are
// ignored. A full table answers the fallback "METHOD /*" for what it does not
// hold. It allocates only for a route that is not known.
func (t *Table) Match(method, path []byte) Match {
	v := t.view.Load()
	var b template
	b.build(method, path, v.guide)
	return t.look(v, &b, b.name[:b.length])
}

// look finds the route of a name that b was made of.
func (t *Table) look(v *view, b *template, name []byte) Match {
	hash := xxh3.Hash(name)
	m := Match{Object: b.object(hash), Number: b.number, Placeholders: b.placeholders, Method: uint8(b.method), Version: b.version}
	if e := v.find(hash, name); e != nil {
		m.ID, m.Name, m.Known, m.entry = e.id, e.name, true, e
		return m
	}
	if t.full.Load() {
		e := &t.fallbacks[b.method]
		m.ID, m.Name, m.Known = e.id, e.name, true
		return m
	}
	m.ID, m.Name = routeID(hash), string(name)
	return m
}

// Learn tells the table that the upstream has answered a request of the match
// well. It adds a route that Match found unknown, unless the table is full, and
// counts one that is known, without a lock. The match must come from Match.
//
// A new route may show that a place in its path is one of values. The routes
// there then become one, and Learn returns what has become of them.
func (t *Table) Learn(m Match) []Merge {
	if m.entry != nil {
		m.entry.hit()
	}
	if m.Known || m.Name == "" || t.full.Load() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.view.Load()
	name := v.guide.rename(m.Name) // it may have been folded since
	hash := xxh3.HashString(name)
	if e := v.find(hash, []byte(name)); e != nil {
		e.hit()
		return nil
	}
	if len(t.routes) == MaxRoutes {
		return nil
	}
	e := &entry{id: routeID(hash), name: name}
	e.hit()
	t.foldWhere(t.add(v, e))
	return t.merges()
}

// add takes in a route that is not there. The table has room.
func (t *Table) add(v *view, e *entry) (grown []*place) {
	for i := xxh3.HashString(e.name); ; i++ {
		if v.slots[i%slots].CompareAndSwap(nil, e) {
			break
		}
	}
	t.routes = append(t.routes, e)
	t.full.Store(len(t.routes) == MaxRoutes)
	return t.evidence.add(e)
}

// Len is how many routes the table holds.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.routes)
}

// find compares whole names: two routes of one hash stay two routes.
func (v *view) find(hash uint64, name []byte) *entry {
	for i := hash; ; i++ {
		e := v.slots[i%slots].Load()
		if e == nil || e.name == string(name) {
			return e
		}
	}
}

// routeID keeps 0 for "no route".
func routeID(hash uint64) uint32 { return max(uint32(hash), 1) }
