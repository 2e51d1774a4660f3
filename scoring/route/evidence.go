package route

import (
	"cmp"
	"slices"
	"strings"
)

// Bounds of the evidence for folding.
const (
	maxPlaces = 16384 // positions in the tree; paths beyond them stay as they are
	maxValues = 512   // different words at one place: no API has as many of its own
)

// evidence is the tree of the known routes' paths: what stands at each place,
// and how what stands there goes on. It is the writer's, under Table.mu.
type evidence struct {
	guide  *guide // the words that it knows stay, and are no evidence; may be nil
	root   place
	places int
}

// place is a position in a path, whatever the method: what may follow
// "/v1/tenants".
type place struct {
	path  string // up to here
	value bool   // its last segment is a word, and nobody says that it stays one
	next  map[string]*place
	words int      // values of next
	ends  []*entry // the routes that end here
}

// add takes a route in. It returns the places on its way at which a word is
// new, from the root.
func (v *evidence) add(e *entry) (grown []*place) {
	_, path, _ := strings.Cut(e.name, " ")
	at, g, to := &v.root, v.guide, 0
	for segment := range segments(path) {
		to += strings.Index(path[to:], segment) + len(segment)
		g = g.after(segment)
		next := at.next[segment]
		if next == nil {
			value := g == nil && isWord(segment)
			if v.places == maxPlaces || value && at.words == maxValues {
				return grown
			}
			v.places++
			next = &place{path: path[:to], value: value}
			if at.next == nil {
				at.next = map[string]*place{}
			}
			at.next[segment] = next
			if value {
				at.words++
				grown = append(grown, at)
			}
		}
		at = next
	}
	at.ends = append(at.ends, e)
	return grown
}

// isWord: it is neither a placeholder, nor what was cut off, nor the mark.
func isWord(segment string) bool {
	return segment != "*" && segment != operationMark && !strings.Contains(segment, "{")
}

// each calls f with every route at or below the place.
func (p *place) each(f func(*entry)) {
	for _, e := range p.ends {
		f(e)
	}
	for _, next := range p.next {
		next.each(f)
	}
}

// wide are the places of so many words or more, the nearest to the root first.
func (v *evidence) wide(words int) []*place {
	var all []*place
	var walk func(*place)
	walk = func(p *place) {
		if p.words >= words {
			all = append(all, p)
		}
		for _, next := range p.next {
			walk(next)
		}
	}
	walk(&v.root)
	slices.SortFunc(all, func(a, b *place) int {
		return cmp.Or(cmp.Compare(strings.Count(a.path, "/"), strings.Count(b.path, "/")), strings.Compare(a.path, b.path))
	})
	return all
}
