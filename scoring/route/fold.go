package route

import (
	"cmp"
	"slices"
	"strings"
)

// A place in the path is folded into a placeholder where its words are values
// rather than the API's vocabulary: /v1/tenants/acme/orders is then
// "/v1/tenants/{id}/orders". Three things must come together, since an API's
// own words are many, too:
//
//	many      enoughTenants values that go on by the same words ("orders",
//	          "invoices"), or enoughValues of any kind
//	seldom    of the latter, most that exist have not been seen yet: Chao's
//	          lower bound of how many there are, by how many were seen once and
//	          twice, is estimatedValues or more
//	similar   nine in ten of the ways in which they go on (method and rest of
//	          the path) are those of several others
//
// A place of maxValues different words is folded whatever they are, and so is
// the widest of all when the table is full: a route lost in "GET /*" is worse.
//
// What stands out stays a word: conventional ones (guide.go), those that the
// API's description or a policy names, those that go on by ways of their own,
// and those that are asked for far more often than the others.
//
// Chao, A. (1984): Nonparametric estimation of the number of classes in a
// population. Scandinavian Journal of Statistics 11.
const (
	enoughTenants   = 64
	enoughValues    = 100
	estimatedValues = 256
	shared          = 4  // values that go on alike
	established     = 8  // requests, for a way of its own to count
	busy            = 64 // requests, and busyTimes those of the median
	busyTimes       = 32
	maxFolds        = 256 // places in a Table
	maxKept         = 32  // words at one of them
)

// fold is a place whose words have become a placeholder.
type fold struct {
	path string   // "/v1/tenants"; "" is the root
	keep []string // words that stay, sorted
}

// value is a word at a place, as evidence.
type value struct {
	word string
	hits int
	ways []way
}

// way is how a path goes on behind a value.
type way struct{ method, rest string }

// judge says whether the place is one of values. forced: the table is full.
func (p *place) judge(forced bool) (fold, bool) {
	if p.words < enoughTenants {
		return fold{}, false
	}
	values := p.values()
	common := map[way]int{}
	for _, v := range values {
		for _, w := range v.ways {
			common[w]++
		}
	}
	ways, alike, worded := 0, 0, 0
	for w, n := range common {
		ways += n
		if n >= shared {
			alike += n
			if w.worded() {
				worded += n
			}
		}
	}
	similar := 10*alike >= 9*ways
	tenants := similar && 2*worded >= ways
	users := similar && len(values) >= enoughValues && unseen(values)
	if !forced && p.words < maxValues && !tenants && !users {
		return fold{}, false
	}
	return fold{p.path, outstanding(values, common)}, true
}

// values are the words at the place that may be values, sorted.
func (p *place) values() []value {
	var all []value
	for segment, next := range p.next {
		if !next.value {
			continue
		}
		v := value{word: segment}
		next.each(func(e *entry) {
			v.hits += e.seen()
			method, path, _ := strings.Cut(e.name, " ")
			v.ways = append(v.ways, way{method, path[len(next.path):]})
		})
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b value) int { return strings.Compare(a.word, b.word) })
	return all
}

// worded: it goes on by a word of its own, "/orders", which collections of ids
// ("", "/{id}") do not.
func (w way) worded() bool {
	return len(w.rest) > 1 && w.rest[0] == '/' && w.rest[1] != '{' && w.rest[1] != '*'
}

// unseen: by those seen once and twice there are many more values than have
// been seen.
func unseen(values []value) bool {
	once, twice := 0, 0
	for _, v := range values {
		switch v.hits {
		case 0, 1:
			once++
		case 2:
			twice++
		}
	}
	return len(values)+once*(once-1)/(2*(twice+1)) >= estimatedValues
}

// outstanding are the values that are no values, sorted.
func outstanding(values []value, common map[way]int) []string {
	hits := make([]int, len(values))
	for i, v := range values {
		hits[i] = v.hits
	}
	slices.Sort(hits)
	median := hits[len(hits)/2]
	var out []value
	for _, v := range values {
		own := !slices.ContainsFunc(v.ways, func(w way) bool { return common[w] >= shared })
		if own && v.hits >= established || v.hits >= busy && v.hits >= busyTimes*median {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b value) int { return cmp.Compare(b.hits, a.hits) })
	var words []string
	for _, v := range out[:min(len(out), maxKept)] {
		words = append(words, v.word)
	}
	slices.Sort(words)
	return words
}
