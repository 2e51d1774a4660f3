package extproc

import (
	"slices"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// refuse answers in the upstream's place.
func (s *session) refuse(v policy.Verdict) outcome {
	s.state, s.probe = spent, false
	f := newFrame()
	a := s.server.stepUp.answerTo(&s.c.Exchange, v)
	s.c.Answered = a.status
	f.bytes = appendImmediate(f.bytes, &s.c.Exchange, v, a)
	f.bytes = s.appendMark(f.bytes, v)
	return outcome{reply: f.seal(), ends: true, end: scoring.Refused}
}

// cut ends a response that is on its way.
func (s *session) cut(v policy.Verdict) outcome {
	s.state = spent
	f := newFrame()
	f.bytes = appendCut(f.bytes, v)
	f.bytes = s.appendMark(f.bytes, v)
	return outcome{reply: f.seal(), ends: true, end: scoring.Truncated}
}

// news says whether the verdict differs from what dynamic metadata says.
func (s *session) news(v policy.Verdict) bool {
	return v.Action != s.told.action || s.c.Exchange.Assessment.Score > s.told.score || s.awaited != s.told.awaited ||
		!slices.Equal(v.Metadata, s.told.metadata)
}

func (s *session) appendMark(b []byte, v policy.Verdict) []byte {
	ex := &s.c.Exchange
	ending := endOf(s.awaited, s.told.awaited)
	s.told = told{v.Action, ex.Assessment.Score, s.awaited, v.Metadata}
	var id [2 * len(scoring.ID{})]byte
	return appendMark(b, &mark{
		id:     hexID(id[:0], ex.ID),
		score:  ex.Assessment.Score,
		action: v.Action,
		mode:   v.Mode,
		class:  v.Class,
		ending: ending,
		more:   v.Metadata,
	})
}

// appendID is appendMark where nothing is decided yet.
func (s *session) appendID(b []byte) []byte {
	var id [2 * len(scoring.ID{})]byte
	return appendMark(b, &mark{id: hexID(id[:0], s.c.Exchange.ID)})
}
