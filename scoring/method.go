package scoring

// method: it uses an HTTP method that it seldom or never used, as does a reader
// that begins to delete.
//
// A method draws once a session: the thousand reads of a session say no more
// about its first write than ten do. So a method alone never alarms; it tells
// the reader of other evidence what was done.
type method struct{}

func (method) judge(l *look) {
	if !l.mature {
		return
	}
	counts := &l.habits.Methods
	v := drawn{weight: float64(counts[methodCell(l.ex)])}
	for _, n := range counts {
		v.count(float64(n))
	}
	if v.known > 0 {
		l.place(Method, "methods", v, v.novelty(), l.cohort.newMethod)
	}
}

// learn counts what the upstream could make something of: a 405 is no habit.
func (method) learn(l *look, weight float64) {
	h := l.habits
	if l.session {
		h.Session.Methods = 0
	}
	cell := methodCell(l.ex)
	if l.ex.Status >= 400 || weight < 0.5 || h.Session.Methods>>cell&1 == 1 {
		return
	}
	h.Session.Methods |= 1 << cell
	if h.Methods[cell] == 255 {
		for i := range h.Methods {
			h.Methods[i] /= 2 // what was used once in 255 sessions is forgotten
		}
	}
	h.Methods[cell]++
}

// methodCell is the method's count: the usual seven have their own.
func methodCell(ex *Exchange) uint8 { return min(ex.Route.Method, 7) }
