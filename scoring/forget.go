package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// Forget erases an identity wherever it is kept under its own name, and says
// whether it had a profile:
//
//	profile       in both levels; the next Save removes older snapshots
//	calibrator    its windows of today; campaigns that it is part of, and that
//	              happened at it, a network or device
//	pairs         its sign-ins, from every place that is known; and, of a place,
//	              those of every user that is known
//	populations   that a route has learned from it last
//
// What stays cannot be traced to it. Histograms, counts and sketches (peers'
// tables, norms, populations, HyperLogLogs) are sums over many. An owner of
// objects is eight bits of a hash, which one in 255 of all identities have in
// common, and in memory only: clearing them would take from all of those what is
// theirs. And what others are known by is theirs: that a caller has used a
// device, 32 bits of it, or another name beside its own, 16 bits, goes when that
// caller is forgotten.
//
// Exchanges that are under way count as the first of somebody new.
func (s *Scorer) Forget(k profile.Key) (known bool) {
	known = s.store.Forget(k)
	s.calibrator.Forget(calibrationKey(k), calibrationPlace(k))
	s.pairs.drop(pairOf(k, profile.Key{}))
	s.store.Range(func(r *profile.Record) bool {
		switch r.Kind {
		case profile.KindUser:
			s.pairs.drop(pairOf(r.Key, k))
		case profile.KindNetwork, profile.KindAddress:
			s.pairs.drop(pairOf(k, r.Key))
		case profile.KindRoute:
			if p := r.Population(); p.Last == shortKey(k) { // in place: routes stay in the slab
				p.Last = 0
			}
		}
		return true
	})
	return known
}
