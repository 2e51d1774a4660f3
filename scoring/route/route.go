// Package route folds request paths into routes: "GET /v1/orders/17?x=1" is the
// route "GET /v1/orders/{id}" and the object 17 on it. Profiles compare a caller
// with others on the same route and count the objects it touches.
//
// Templating is static: a segment is a placeholder by its own shape, whatever
// was seen before, so every process agrees on every name. Start reading at
// Table.Match; split.go cuts the path, shape.go tells words from ids,
// version.go finds the API's version. The package imports nothing of wonted.
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
	Known        bool   // in the table: an accepted answer was seen here, or it is a fallback
	Name         string // "GET /v1/orders/{id}", printable ASCII; shared by all matches of a known route
	Object       uint64 // hash of the full template and its placeholder values; 0 where the path has none
	Number       uint64 // of the last placeholder: 17 of /orders/17, 10017 of /orders/order-10017; 0 where it is no integer
	Placeholders int    // in the path, "/*" counts as one; not among what policies read
	Method       uint8  // its place in a fixed list, GET first; what is invented shares the last
	Version      uint16 // hash of the API version that the path names, "v2"; 0: none
}

// entry is one route of the table, never changed and never removed.
type entry struct {
	id   uint32
	name string
}

// slots is a power of two that keeps the table at most half full, so that a
// probe ends after a step or two.
const slots = 2 * MaxRoutes

// Table is the set of known routes. Readers take no lock: a slot goes from nil
// to its entry once and stays. Safe for concurrent use.
//
// A request adds no route; only Learn does, and it is called where the upstream
// has answered well. A scanner of random words therefore cannot fill the table
// with paths that do not exist. Until then Match still names the exact template,
// so that a policy about a route holds from its first request, at the price of
// one allocation for the name.
type Table struct {
	slots     [slots]atomic.Pointer[entry]
	full      atomic.Bool
	fallbacks [len(methods) + 1]entry // "METHOD /*"

	mu sync.Mutex // held by Learn
	n  int
}

// New returns an empty table.
func New() *Table {
	t := &Table{}
	for i := range t.fallbacks {
		name := methodName(i) + " /*"
		t.fallbacks[i] = entry{id: routeID(xxh3.HashString(name)), name: name}
	}
	return t
}

// Match templates a path and looks it up. The query and what follows it are
// ignored. A full table answers the fallback "METHOD /*" for what it does not
// hold. It allocates only for a route that is not known.
func (t *Table) Match(method, path []byte) Match {
	var b template
	b.build(method, path)
	name := b.name[:b.length]
	hash := xxh3.Hash(name)
	m := Match{Object: b.object(hash), Number: b.number, Placeholders: b.placeholders, Method: uint8(b.method), Version: b.version}
	if e := t.find(hash, name); e != nil {
		m.ID, m.Name, m.Known = e.id, e.name, true
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

// Learn adds a route that Match found unknown. It does nothing when the table
// is full. The name must come from Match.
func (t *Table) Learn(m Match) {
	if m.Known || m.Name == "" || t.full.Load() {
		return
	}
	hash := xxh3.HashString(m.Name)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == MaxRoutes {
		return
	}
	for i := hash; ; i++ {
		slot := &t.slots[i%slots]
		e := slot.Load()
		if e == nil {
			slot.Store(&entry{id: m.ID, name: m.Name})
			break
		}
		if e.name == m.Name {
			return
		}
	}
	t.n++
	t.full.Store(t.n == MaxRoutes)
}

// Len is how many routes the table holds.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// find compares whole names: two routes of one hash stay two routes.
func (t *Table) find(hash uint64, name []byte) *entry {
	for i := hash; ; i++ {
		e := t.slots[i%slots].Load()
		if e == nil || e.name == string(name) {
			return e
		}
	}
}

// routeID keeps 0 for "no route".
func routeID(hash uint64) uint32 { return max(uint32(hash), 1) }
