package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// Touched appends the keys of all records that judging the exchange and learning
// from it may read or write, before Begin: for whoever plays an exchange that
// must not have happened, and puts the records back afterwards. The zero Key is
// among them where an entity is not there.
func (s *Scorer) Touched(ex *Exchange, keys []profile.Key) []profile.Key {
	for k := range ex.Entities {
		keys = append(keys, ex.Entities[k].Key)
	}
	return append(keys, routeKey(s.routes.Match(ex.Method, ex.Path).ID))
}
