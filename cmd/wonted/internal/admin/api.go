package admin

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Role is what somebody may do. Each includes those before it.
type Role uint8

// The roles.
const (
	Open  Role = iota // what everybody may: ask whether wonted is alive
	Read              // see
	Write             // change
)

var roleNames = [...]string{"open", "read", "write"}

func (r Role) String() string { return roleNames[r] }

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Route is one line of the table. Its JSON names are a contract.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"` // {name} stands for one segment
	Role   Role   `json:"role"`
	Does   string `json:"does"`
}

// API is the table of routes, and serves them. Register everything before it
// serves.
type API struct {
	mux    *http.ServeMux
	table  map[string]Route // by pattern
	browse http.Handler     // mux behind what keeps other people's pages out
}

// New is an API without routes but its own.
func New() *API {
	a := &API{mux: http.NewServeMux(), table: map[string]Route{}}
	// What changes something is for programs and for pages of our own.
	a.browse = http.NewCrossOriginProtection().Handler(a.mux)
	return a
}

// Describe adds GET /v1/, which lists the routes.
func (a *API) Describe() {
	a.Read("GET /v1/{$}", "lists the routes", func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, map[string]any{"routes": a.Routes()})
	})
}

// Open registers what everybody may ask.
func (a *API) Open(pattern, does string, h http.HandlerFunc) { a.add(Open, pattern, does, h) }

// Read registers what changes nothing.
func (a *API) Read(pattern, does string, h http.HandlerFunc) { a.add(Read, pattern, does, h) }

// Write registers what changes something.
func (a *API) Write(pattern, does string, h http.HandlerFunc) { a.add(Write, pattern, does, h) }

// add panics where the method contradicts the role: a GET that changes
// something would be followed by prefetching browsers and crawlers.
func (a *API) add(role Role, pattern, does string, h http.Handler) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok || does == "" || (method == http.MethodGet) != (role < Write) {
		panic(fmt.Sprintf("admin: %q cannot be a route of role %s", pattern, role))
	}
	a.table[pattern] = Route{method, strings.TrimSuffix(path, "{$}"), role, does}
	a.mux.Handle(pattern, h)
}

// Routes are all there are, by path and method.
func (a *API) Routes() []Route {
	all := make([]Route, 0, len(a.table))
	for _, r := range a.table {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return all
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.browse.ServeHTTP(w, r) }
