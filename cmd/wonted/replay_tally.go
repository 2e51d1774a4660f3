package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// tally counts what a replay has seen. An identity is whoever stands for an
// exchange (policy.Principal). A window is ten minutes in which an identity did
// something, aligned to the clock.
type tally struct {
	zone       *time.Location
	exchanges  int
	anomalous  int
	windows    int
	days       int // identity-days: an identity on a day on which it did something
	alerts     int // identity-days with something anomalous
	actions    map[policy.Action]int
	identities map[profile.Key]*seen
	offenders  map[profile.Key]*offender
	named      bool // somebody was known by more than an address
	first      time.Time
	last       time.Time
}

// seen is where an identity's counting stands.
type seen struct {
	window, day int64
	alerted     bool // today
}

// offender is an identity that was not plainly allowed.
type offender struct {
	name, kind string
	exchanges  int
	score      float64
	worst      policy.Action
	actions    map[policy.Action]int
	from, to   time.Time
	evidence   map[string]policy.Finding // by detector and unit, the most surprising of each
	reasons    map[string]int
}

func newTally(zone *time.Location) tally {
	return tally{
		zone: zone, actions: map[policy.Action]int{},
		identities: map[profile.Key]*seen{}, offenders: map[profile.Key]*offender{},
	}
}

const tallyWindow = 10 * time.Minute

// add counts one exchange that has ended; report is nil where it was plainly
// allowed.
func (t *tally) add(ex *scoring.Exchange, action policy.Action, report *policy.Report) {
	if t.exchanges++; t.exchanges == 1 {
		t.first = ex.Time
	}
	t.last = ex.Time
	t.actions[action]++
	t.named = t.named || named(ex)
	who := policy.Principal(ex).Key
	s := t.identities[who]
	if s == nil {
		s = &seen{window: -1, day: -1}
		t.identities[who] = s
	}
	if w := ex.Time.Unix() / int64(tallyWindow/time.Second); w != s.window {
		s.window = w
		t.windows++
	}
	year, month, day := ex.Time.In(t.zone).Date()
	if d := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(); d != s.day {
		s.day, s.alerted = d, false
		t.days++
	}
	if ex.Assessment.Anomalous {
		t.anomalous++
		if !s.alerted {
			s.alerted = true
			t.alerts++
		}
	}
	if report != nil {
		t.offend(who, action, report)
	}
}

// named says whether a rule found who it is in more than the address.
func named(ex *scoring.Exchange) bool {
	for _, k := range [...]profile.Kind{profile.KindCaller, profile.KindCredential, profile.KindSession, profile.KindUser} {
		if id := &ex.Entities[k]; id.Kind != profile.KindNone && id.Rule != "address" && id.Rule != logHost.String() {
			return true
		}
	}
	return false
}

func (t *tally) offend(who profile.Key, action policy.Action, r *policy.Report) {
	o := t.offenders[who]
	if o == nil {
		o = &offender{
			name: r.Identity, kind: r.Kind, from: r.Time, actions: map[policy.Action]int{},
			evidence: map[string]policy.Finding{}, reasons: map[string]int{},
		}
		t.offenders[who] = o
	}
	o.exchanges++
	o.to = r.Time
	o.actions[action]++
	o.worst = max(o.worst, action)
	o.score = max(o.score, r.Score)
	if r.Reason != "" && len(o.reasons) < 100 {
		o.reasons[r.Reason]++
	}
	for _, f := range r.Evidence {
		if key := f.Detector + " " + f.Unit; f.Score > o.evidence[key].Score {
			o.evidence[key] = f
		}
	}
}

// ranked is the offenders, the worst first.
func (t *tally) ranked() []*offender {
	all := make([]*offender, 0, len(t.offenders))
	for _, o := range t.offenders {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *offender) int {
		return cmp.Or(cmp.Compare(b.worst, a.worst), cmp.Compare(b.score, a.score), cmp.Compare(b.exchanges, a.exchanges), cmp.Compare(a.name, b.name))
	})
	return all
}

// replaySummary is the last object of --output json. Its names are a contract.
type replaySummary struct {
	Exchanges  int            `json:"exchanges"`
	Identities int            `json:"identities"`
	Windows    int            `json:"windows"`   // ten minutes in which an identity did something
	Anomalous  int            `json:"anomalous"` // exchanges
	Actions    map[string]int `json:"actions"`
	Budget     struct {
		Target   float64 `json:"target"`   // identity-days with an alert, per 1,000
		Realised float64 `json:"realised"` // the same, as it came
	} `json:"budget"`
	Seconds float64 `json:"seconds"`

	WithoutRequest int `json:"without_request,omitempty"` // lines that are about no request

	advice string // how more could be known
}

func (t *tally) summary(target float64, took time.Duration) *replaySummary {
	s := &replaySummary{
		Exchanges: t.exchanges, Identities: len(t.identities), Windows: t.windows, Anomalous: t.anomalous,
		Actions: map[string]int{}, Seconds: took.Seconds(),
	}
	for _, a := range []policy.Action{policy.Allow, policy.Throttle, policy.Challenge, policy.Deny} {
		s.Actions[a.String()] = t.actions[a]
	}
	s.Budget.Target = target
	s.Budget.Realised = 1000 * float64(t.alerts) / float64(max(t.days, 1))
	return s
}
