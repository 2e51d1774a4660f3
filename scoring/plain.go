package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Plain: nothing is gained by looking at the response before it leaves. Whoever
// carries the exchange may then learn of it afterwards, from the access log.
//
// What bounds a response is what its caller usually gets. So a response is
// plain where the route has nothing to give that would pass the bound:
//
//	the route's largest answer ever <= what is common for everybody mature here
//	no answer of more than one record was ever metered, and eight or more were
//	the largest answer ever is no larger than those metered, give or take 1/2
//
// "Ever" is a window.Peak: of what anybody got here, odd or not, by turns or
// not. One dump ends the plainness of its route for weeks, and a route that
// gives ten records to one caller is plain for nobody.
//
// The third line is for routes that change while nobody looks. Where records are
// not metered, answers that grow beyond sqrt 2 of the largest known single
// record are no longer known to be single: two of that size would not fit below.
// So neither a release that turns an object into a list, nor a caller who
// teaches its own range by growing, keeps a route plain.
//
// What remains is the first answer of a kind that the route has never given to
// anybody: it is judged when the log tells of it.
const (
	plainAnswers = 50 // learned from, of two callers or more
	plainMetered = 8
	plainRecord  = 1.0 // log2(1+1)
	plainSlack   = 0.5 // doublings
)

// answers is what a route has been seen to answer, as it stood at Begin.
type answers struct {
	bytes, records, metered window.Peak
	ready                   bool // enough is known of it
}

// read takes the route's answers from its record.
func (a *answers) read(rec *profile.Record, now uint32) {
	p := rec.Population()
	*a = answers{bytes: p.LargestBytes, records: p.LargestRecords, metered: p.LargestMetered}
	// From ownRuler on a population learns by turns, so more than that many are
	// of two callers at the least.
	a.ready = p.Bytes.N >= plainAnswers && a.bytes.N >= plainAnswers && a.records.N >= plainMetered &&
		now-min(rec.Created, now) >= matureAge
}

// single: as far as is known an answer is of one record, or none.
func (a *answers) single() bool {
	return a.ready && a.records.Most <= plainRecord && a.bytes.Most <= a.metered.Most+plainSlack
}

// plain says whether the response is, with the Assessment's Range known.
func (s *scratch) plain(a *Assessment) bool {
	if a.Anomalous || !s.answers.single() || !s.entities[profile.KindCaller].predictions.mature {
		return false
	}
	for k := range s.entities {
		if p := &s.entities[k].predictions; p.mature && p.bytes.one.confidence < 1 {
			return false // it bounds the response, and nobody knows where
		}
	}
	return float64(a.Range) >= math.Exp2(float64(s.answers.bytes.Most))-1
}

// noteAnswer remembers how large an answer of the route was, whoever got it and
// however odd that was. A route that has no record has taught nothing yet.
func noteAnswer(rec *profile.Record, ex *Exchange, end End, now uint32) {
	bytes, records := ex.scratch.bytes, ex.scratch.records
	if bytes.v < 0 {
		return
	}
	p, day := rec.Population(), uint16(now/aDay)
	p.LargestBytes.Observe(bytes.log2, day)
	if records.v < 0 {
		return
	}
	p.LargestRecords.Observe(records.log2, day)
	if end == Answered { // else the declared size is of more records than were counted
		p.LargestMetered.Observe(bytes.log2, day)
	}
}
