package admin

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
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

	answer any  // a value of the type that is answered as JSON; nil: text
	takes  any  // of the body; nil: none
	undo   bool // done even if it cannot be written down
}

// Options are what holds for all routes. Without a Guard there may be none but
// those that are open, without a Trail none that changes something.
type Options struct {
	Guard    *Guard
	Trail    *Trail
	Clock    func() time.Time
	Hide     func(string) string // a keyed hash of what may be a secret
	Complain func(error)         // hears whether the trail could be written
}

// API is the table of routes, and serves them. Register everything before it
// serves.
type API struct {
	mux    *http.ServeMux
	table  map[string]Route // by pattern
	browse http.Handler     // mux behind what keeps other people's pages out

	guard    *Guard
	trail    *Trail
	clock    func() time.Time
	hide     func(string) string
	complain func(error)
}

// New is an API without routes.
func New(o Options) *API {
	a := &API{mux: http.NewServeMux(), table: map[string]Route{},
		guard: o.Guard, trail: o.Trail, clock: o.Clock, hide: o.Hide, complain: o.Complain}
	// What changes something is for programs and for pages of our own.
	a.browse = http.NewCrossOriginProtection().Handler(a.mux)
	return a
}

// routeList and changeList are answers. Their JSON names are a contract.
type (
	routeList struct {
		Routes []Route `json:"routes"`
	}
	changeList struct {
		Changes []Entry `json:"changes"`
	}
)

// Describe adds what the API tells of itself: its routes, and who changed what.
func (a *API) Describe() {
	a.Read("GET /v1/{$}", "lists the routes", routeList{}, func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, routeList{a.Routes()})
	})
	a.describeOpenAPI()
	a.Read("GET /v1/audit", "the latest changes, the newest first; ?limit=N, 100 unless said, 1000 at most", changeList{}, func(w http.ResponseWriter, r *http.Request) {
		n := 100
		if limit := r.URL.Query().Get("limit"); limit != "" {
			var err error
			if n, err = strconv.Atoi(limit); err != nil || n < 1 || n > trailKept {
				Refuse(w, http.StatusBadRequest, "limit is no number of changes", fmt.Sprintf("1 to %d", trailKept))
				return
			}
		}
		JSON(w, http.StatusOK, changeList{a.trail.Last(n)})
	})
}

// Open registers what everybody may ask, and is answered as text.
func (a *API) Open(pattern, does string, h http.HandlerFunc) {
	a.add(pattern, Route{Role: Open, Does: does}, h)
}

// Read registers what changes nothing. answer is a value of the type that is
// answered as JSON, which describes it; nil: text is answered.
func (a *API) Read(pattern, does string, answer any, h http.HandlerFunc) {
	a.add(pattern, Route{Role: Read, Does: does, answer: answer}, h)
}

// Write registers what changes something; takes is a value of the type of its
// body, nil: it has none.
func (a *API) Write(pattern, does string, takes, answer any, h http.HandlerFunc) {
	a.add(pattern, Route{Role: Write, Does: does, takes: takes, answer: answer}, h)
}

// Undo is Write of what takes back a measure, and no more: a quarantine, or that
// the breaker has demoted a rule. That works always.
func (a *API) Undo(pattern, does string, answer any, h http.HandlerFunc) {
	a.add(pattern, Route{Role: Write, Does: does, answer: answer, undo: true}, h)
}

// add panics where the method contradicts the role: a GET that changes
// something would be followed by prefetching browsers and crawlers.
func (a *API) add(pattern string, route Route, h http.Handler) {
	method, path, ok := strings.Cut(pattern, " ")
	if role := route.Role; !ok || route.Does == "" || (method == http.MethodGet) != (role < Write) || role > Open && a.guard == nil || role == Write && a.trail == nil {
		panic(fmt.Sprintf("admin: %q cannot be a route of role %s here", pattern, role))
	}
	route.Method, route.Path = method, strings.TrimSuffix(path, "{$}")
	if route.Role == Write {
		h = a.audited(route, h)
	}
	a.table[pattern] = route
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
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, pattern := a.mux.Handler(r)
	need := Read // of what there is not, too: who may see nothing learns nothing
	if route, ok := a.table[pattern]; ok {
		need = route.Role
	}
	if need > Open && a.guard != nil {
		var ok bool
		if r, ok = a.guard.admit(w, r, need); !ok {
			return
		}
	}
	a.browse.ServeHTTP(w, r)
}
