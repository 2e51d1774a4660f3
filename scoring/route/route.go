package route

// Match is where one request goes.
type Match struct {
	ID      uint32 // hash of Name, the same in every process; the low 32 bits identify the route
	Name    string // "GET /v1/orders/{id}"; shared by all matches, never built per request
	Object  uint64 // hash of the route and its placeholder values; 0 where the path has none
	Segment int    // placeholders in the path
}
