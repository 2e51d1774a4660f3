package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// Touched appends the keys of all records that judging the exchange and learning
// from it may read or write, before Begin: for whoever plays an exchange that
// must not have happened, and puts the records back afterwards. The zero Key is
// among them where an entity is not there. What is not kept in records, the
// routes and whatever else is learned from all, is not undone by that.
func (s *Scorer) Touched(ex *Exchange, keys []profile.Key) []profile.Key {
	for k := range ex.Entities {
		keys = append(keys, ex.Entities[k].Key)
	}
	route := s.routeOf(ex).ID
	return append(keys, ex.SignIn.User, routeKey(route), loginKey(route))
}
