package scoring

import "github.com/wonted-project/wonted/scoring/window"

// Endpoints are the sixteen routes that an identity asks for most. What it is
// used to is counted by the tens of minutes in which it asked for them: a
// thousand requests of one afternoon say no more about its ways than ten do.

// endpointsFade is what a day leaves of them: half are forgotten in a week.
const endpointsFade = 0.9

// endpointID is the 16 bits by which a route is remembered.
func endpointID(ex *Exchange) uint16 { return shortRoute(ex.Route.ID) }

func shortRoute(id uint32) uint16 { return max(uint16(id), 1) }

// visit remembers the route as one of the identity's.
func (l *look) visit(weight float64) {
	h, id := l.habits, endpointID(l.ex)
	slots := window.SmallSlots(h.Endpoints[:])
	if l.now/aDay != h.LastAccepted/aDay {
		slots.Decay(endpointsFade)
	}
	place, known := slots.Place(id)
	if !known { // what lay there is forgotten, and so are the steps from and to it
		h.Steps.Forget(place)
		h.Used &^= 1 << place
	}
	if h.Used>>place&1 == 0 {
		h.Used |= 1 << place
		slots.Touch(id, weight)
	}
}

// share is the share of the route in what the identity asks for, drawn a little
// towards 1/2 where next to nothing is known: never 0.
func (l *look) share(id uint16) float64 {
	own, total := 0.0, 0.0
	for _, s := range l.habits.Endpoints {
		w := s.Count()
		total += w
		if s.ID == id {
			own = w
		}
	}
	return (own + 0.5) / (total + 1)
}
