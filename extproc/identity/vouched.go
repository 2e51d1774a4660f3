package identity

import (
	"strconv"

	"github.com/wonted-project/wonted/scoring"
)

// Vouched is something that the proxy vouches for and a rule reads.
type Vouched struct {
	Namespace string // of metadata; "" of verified claims and the certificate
	Path      string // of a claim or of metadata; "" is the certificate's name
	Value     []byte // points into the exchange
	Name      bool   // it is read as a display name, or is no secret either
}

// Vouched appends all of it that an exchange has: what a recording must keep
// for the same rules to find the same callers, and for policies to know how they
// have signed in. Resolve has set the latter.
func (r *Resolver) Vouched(to []Vouched, ex *scoring.Exchange) []Vouched {
	if len(ex.Metadata) == 0 && len(ex.PeerURISAN) == 0 && len(ex.PeerDNSSAN) == 0 {
		return to
	}
	for i := range r.kinds {
		of := &r.kinds[i]
		for j := range of.list {
			to = r.vouched(to, ex, &of.list[j].source, of, false)
			to = r.vouched(to, ex, &of.list[j].name, of, true)
		}
	}
	if len(ex.ACR) > 0 {
		to = append(to, Vouched{Path: claimACR, Value: ex.ACR, Name: true})
	}
	if ex.AuthTime > 0 {
		to = append(to, Vouched{Path: claimAuthTime, Value: strconv.AppendInt(nil, ex.AuthTime, 10), Name: true})
	}
	return to
}

func (r *Resolver) vouched(to []Vouched, ex *scoring.Exchange, s *source, of *rules, name bool) []Vouched {
	if !s.op.verified() {
		return to
	}
	f := s.read(ex, r.keys.kinds[of.kind])
	if f.value == nil {
		return to
	}
	return append(to, Vouched{Namespace: s.namespace, Path: s.name, Value: f.value, Name: name})
}
