package scoring

import (
	"cmp"
	"slices"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Replicas are what several replicas of wonted know of one identity: the latest
// record of each. A replica hands out its own whole record every time, never a
// difference; so a message that comes twice, late or not at all spoils nothing,
// and the whole is the same in whatever order they came.
//
//	Take(Take(r, m), m) = Take(r, m)    Take(Take(r, m), n) = Take(Take(r, n), m)
//
// The zero value knows nobody. It is for one goroutine.
type Replicas struct {
	views []view // by replica
}

// view is what one replica knows.
type view struct {
	replica uint64
	record  profile.Record
}

// mostReplicas bounds what is kept of one identity. Of more the one goes that has
// heard of it last longest ago.
const mostReplicas = 64

// Number prepares a record for being handed out at now, in seconds since the
// epoch, with a Sequence above all before it: also where a replica was started
// anew from a snapshot that is older than what it has handed out since.
func Number(rec *profile.Record, now uint32) { rec.Sequence = max(rec.Sequence+1, now) }

// Take keeps a replica's record, and says whether it is news: not if one was taken
// of that replica with the same Sequence or a higher, nor if it is of another
// identity than those here.
func (r *Replicas) Take(replica uint64, rec *profile.Record) (news bool) {
	i, known := slices.BinarySearchFunc(r.views, replica, func(v view, replica uint64) int { return cmp.Compare(v.replica, replica) })
	switch {
	case len(r.views) > 0 && (r.views[0].record.Key != rec.Key || r.views[0].record.Kind != rec.Kind):
		return false
	case known && r.views[i].record.Sequence >= rec.Sequence:
		return false
	case known:
		r.views[i].record = *rec
		return true
	}
	r.views = slices.Insert(r.views, i, view{replica, *rec})
	if len(r.views) > mostReplicas {
		oldest := 0
		for i := range r.views {
			if r.views[i].record.LastSeen < r.views[oldest].record.LastSeen {
				oldest = i
			}
		}
		r.views = slices.Delete(r.views, oldest, oldest+1)
	}
	return true
}

// Whole is what they know together; ok is false where there is nobody.
func (s *Scorer) Whole(r *Replicas) (whole profile.Record, ok bool) {
	for i := range r.views {
		if i == 0 {
			whole = r.views[i].record
			continue
		}
		s.Merge(&whole, &r.views[i].record)
	}
	return whole, len(r.views) > 0
}
