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
	differ     int // exchanges on which two policies differ
	actions    map[policy.Action]int
	identities map[profile.Key]*seen
	offenders  map[profile.Key]*offender
	file       string // where the newest exchange was found
	line       int
	dropped    int               // offenders that were left out for worse ones
	passedOver map[shadowKey]int // shadow verdicts, of which there are as many as rules
	timeline   timeline
	daily      map[string]*dayTally // by date, in zone
	today      *dayTally
	midnight   int64 // today's, in Unix seconds
	tomorrow   int64
	dayNumber  int64
	threshold  float64 // of the last exchange
	named      bool    // somebody was known by more than an address
	first      time.Time
	last       time.Time
}

// seen is where an identity's counting stands.
type seen struct {
	window, day int64
	exchanges   int
	met         [policy.Deny + 1]bool // with each action
	alerted     bool                  // today
	anomalous   bool                  // ever
	differs     bool                  // ever, where policies are compared
}

// dayTally is what one day saw.
type dayTally struct{ identities, alerts, exchanges, anomalous int }

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
	examples   []example // the first
	who        *seen
}

// example is one of an offender's exchanges, with where it was found.
type example struct {
	*policy.Report
	file string
	line int
}

// What is kept of offenders, of whom a log may hold as many as it has lines.
const (
	keptOffenders = 5000
	keptExamples  = 5
)

func newTally(zone *time.Location) tally {
	return tally{
		zone: zone, actions: map[policy.Action]int{},
		passedOver: map[shadowKey]int{},
		identities: map[profile.Key]*seen{}, offenders: map[profile.Key]*offender{}, daily: map[string]*dayTally{},
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
	s.exchanges++
	s.met[action] = true
	day := t.day(ex.Time)
	day.exchanges++
	if t.dayNumber != s.day {
		s.day, s.alerted = t.dayNumber, false
		t.days++
		day.identities++
	}
	if ex.Assessment.Anomalous {
		s.anomalous = true
		t.anomalous++
		day.anomalous++
		if !s.alerted {
			s.alerted = true
			t.alerts++
			day.alerts++
		}
	}
	t.threshold = ex.Assessment.Threshold
	t.timeline.add(ex.Time, ex.Assessment.Score, action)
	if report != nil {
		t.passOver(report.Shadow)
		t.offend(who, s, action, report)
	}
}

// day is the tally of a moment's day. Exchanges come in the order of time: it is
// the last one's, or a new one.
func (t *tally) day(at time.Time) *dayTally {
	if unix := at.Unix(); t.today == nil || unix >= t.tomorrow || unix < t.midnight {
		year, month, date := at.In(t.zone).Date()
		t.midnight = time.Date(year, month, date, 0, 0, 0, 0, t.zone).Unix()
		t.tomorrow = time.Date(year, month, date+1, 0, 0, 0, 0, t.zone).Unix()
		t.dayNumber = time.Date(year, month, date, 0, 0, 0, 0, time.UTC).Unix()
		name := at.In(t.zone).Format(time.DateOnly)
		if t.today = t.daily[name]; t.today == nil {
			t.today = &dayTally{}
			t.daily[name] = t.today
		}
	}
	return t.today
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

func (t *tally) offend(who profile.Key, s *seen, action policy.Action, r *policy.Report) {
	o := t.offenders[who]
	if o == nil {
		if len(t.offenders) >= 2*keptOffenders {
			t.prune()
		}
		o = &offender{
			name: r.Identity, kind: r.Kind, from: r.Time, actions: map[policy.Action]int{},
			evidence: map[string]policy.Finding{}, reasons: map[string]int{}, who: s,
		}
		t.offenders[who] = o
	}
	o.exchanges++
	o.to = r.Time
	o.actions[action]++
	o.worst = max(o.worst, action)
	o.score = max(o.score, r.Score)
	if len(o.examples) < keptExamples {
		o.examples = append(o.examples, example{r, t.file, t.line})
	}
	if r.Reason != "" && len(o.reasons) < 100 {
		o.reasons[r.Reason]++
	}
	for _, f := range r.Evidence {
		if key := f.Detector + " " + f.Unit; f.Score > o.evidence[key].Score {
			o.evidence[key] = f
		}
	}
}

// prune leaves out the lesser half of the offenders.
func (t *tally) prune() {
	worse := t.ranked()[:keptOffenders]
	keep := make(map[*offender]bool, len(worse))
	for _, o := range worse {
		keep[o] = true
	}
	for key, o := range t.offenders {
		if !keep[o] {
			delete(t.offenders, key)
			t.dropped++
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
