package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// population is what everybody does on one route, as it stood at Begin.
type population struct {
	known          bool // somebody was answered well here
	bytes, records window.Moments
}

// read takes it from the route's record.
func (p *population) read(rec *profile.Record) {
	from := rec.Population()
	*p = population{known: rec.Accepted > 0, bytes: from.Bytes, records: from.Records}
}
