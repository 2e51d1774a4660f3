package detect

// Class is how an identity behaves. Detection never sees it; figures are told
// apart by it.
type Class uint8

// The classes.
const (
	person  Class = iota // a customer or employee: visits, at its hours, from home, work and on the way
	poller               // a program that asks every so often, for what is mostly the same
	batch                // a nightly job
	bursty               // builds, tests: quiet, then hundreds of requests from machines that come and go
	partner              // another company's system, all day, through several addresses
	classes int   = iota
)

var classNames = [classes]string{"person", "poller", "batch", "bursty", "partner"}

// String is the class's name in reports.
func (c Class) String() string { return classNames[c] }

// shares are how many of the identities are of each class: people are most, and
// programs make most of the traffic.
var shares = [classes]float64{person: .62, poller: .1, batch: .08, bursty: .08, partner: .12}

// manner holds what the identities of a class have in common. A pair is median
// and spread of a log-normal (sigma of the natural logarithm); the spread within
// an identity comes on top of that between identities.
type manner struct {
	sittings  pair    // a day
	requests  pair    // of a sitting, between identities
	within    float64 // the same, between sittings of one: heavy on purpose
	gap       pair    // milliseconds between requests
	pause     float64 // chance of a pause of a minute or more between two
	errors    pair    // share of requests that fail
	fresh     float64 // chance that an object is one never asked for before
	weekend   float64 // of a weekday's sittings
	nightly   float64 // chance that a sitting ignores the hours
	wander    float64 // chance that a request goes anywhere in the API that its class uses
	otherPage float64 // chance that a sitting asks for lists of another length than usual
}

type pair struct{ median, sigma float64 }

var manners = [classes]manner{
	person: {sittings: pair{1.8, .7}, requests: pair{9, .5}, within: .9, gap: pair{9_000, 1}, pause: .06,
		errors: pair{.012, .8}, fresh: .25, weekend: .6, nightly: .02, wander: .01, otherPage: .03},
	poller: {requests: pair{1.6, .4}, within: .2, gap: pair{150, .8},
		errors: pair{.003, 1}, fresh: .2, weekend: 1, wander: .0005, otherPage: .0005},
	batch: {requests: pair{260, .8}, within: .35, gap: pair{160, .7}, pause: .0004,
		errors: pair{.004, 1}, fresh: .85, weekend: .9, wander: .001, otherPage: .02},
	bursty: {sittings: pair{5, .7}, requests: pair{28, .5}, within: 1, gap: pair{900, 1.2}, pause: .01,
		errors: pair{.02, .8}, fresh: .3, weekend: .25, nightly: .08, wander: .004, otherPage: .02},
	partner: {sittings: pair{70, .7}, requests: pair{3.5, .4}, within: .7, gap: pair{1_200, 1.2}, pause: .01,
		errors: pair{.006, .9}, fresh: .5, weekend: .35, nightly: .01, wander: .003, otherPage: .01},
}

// officeHours and eveningHours are how activity lies over a local day; an
// identity has a mixture of its own of the two.
var (
	officeHours  = [24]float64{0, 0, 0, 0, 0, .01, .05, .25, .7, 1, 1, .95, .7, .8, .95, .95, .85, .6, .25, .1, .05, .03, .02, .01}
	eveningHours = [24]float64{.06, .02, .01, .01, .01, .02, .1, .25, .3, .25, .3, .35, .45, .4, .35, .35, .45, .6, .75, .9, 1, .95, .6, .25}
)
