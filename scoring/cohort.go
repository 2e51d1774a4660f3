package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// What is believed of an entity before its own history speaks. It is chosen to be
// quiet: it loses its say after a few dozen windows, and until then nothing is
// alarmed about (see maturity).

// countPrior is the Gamma-Poisson prior of a count an active window.
type countPrior struct {
	mean float64 // of the cohort, worth priorWindows windows
	r    float64 // its regularity: the variance is mean + mean^2/r
	most float64 // the most regularity that is believed of anybody

	least float64 // the least mean that is believed of anybody
}

const (
	priorWindows = 4.0  // m = (n mean + 4 prior)/(n + 4)
	shrinkage    = 12.0 // ln r = l ln r_own + (1-l) ln r_cohort, l = n/(n+12); also the windows until a baseline speaks in full
)

// priors are what is believed of a cohort's member.
type priors struct {
	requests1m, requests10m, requests1h countPrior
	new10m, new1h, companions10m        countPrior
	errors10m, tried10m                 countPrior
	switches10m, returns10m             countPrior
	failedUsers                         countPrior // names of newcomers who failed to sign in, in ten minutes
	newDevice, newNetwork, newCountry   float64    // share of sessions from one never seen
	newMethod, newVersion               float64    // share of sessions that use one never used
	bytes10m, records10m                float64    // the middle of ten minutes' volume, log2(1+v)
	ceiling                             float64    // bits that a finding here can reach at most
}

// habits is what is believed of whoever has habits: caller, credential, session, user.
//
//	requests      most is 2: a steady client may make six times its usual (a
//	              campaign, a monthly batch) before 1e-5, and is alarming from
//	              about eight. A minute is burstier: most is 1, and twelve times.
//	new objects   somebody at work opens things one by one, which is nearer to
//	              Poisson: most is 8, and three times a small number is quiet
//	companions    next to nobody has any
//	errors        they come in bursts, one broken link on every page: who never
//	              made one may make some twenty in ten minutes
//	tried         routes in vain: who never did may try some ten
//	switches,     who never does may pick up the telephone a few times
//	returns
//	new device,   a hundredth and a fiftieth of the sessions of an API's callers;
//	new network   of a web shop's visitors it is more
var habits = priors{
	requests1m:    countPrior{10, 0.5, 1, smallestMean},
	requests10m:   countPrior{30, 0.5, 2, smallestMean},
	requests1h:    countPrior{60, 0.5, 2, smallestMean},
	new10m:        countPrior{3, 3, 8, smallestMean},
	new1h:         countPrior{6, 3, 8, smallestMean},
	companions10m: countPrior{0.1, 0.5, 2, smallestMean},
	errors10m:     countPrior{1, 0.3, 0.5, 1},
	tried10m:      countPrior{0.5, 0.3, 1, 0.5},
	switches10m:   countPrior{0.5, 0.3, 1, 0.25},
	returns10m:    countPrior{0.2, 0.3, 1, smallestMean},
	newDevice:     0.01,
	newNetwork:    0.02,
	newCountry:    0.005,
	newMethod:     0.01,
	newVersion:    0.01,
	bytes10m:      15, // 32 KiB
	records10m:    6,  // 63
	ceiling:       math.Inf(1),
}

// address may be an office or a carrier's NAT: whoever is behind it comes and
// goes, so no regularity is believed, and nobody is stopped for a neighbour. A
// caller known by nothing but its address has habits of its own.
var address = priors{
	requests1m:  countPrior{50, 0.3, 1, smallestMean},
	requests10m: countPrior{200, 0.3, 1, smallestMean},
	requests1h:  countPrior{500, 0.3, 1, smallestMean},
	errors10m:   countPrior{10, 0.3, 0.5, 10},
	tried10m:    countPrior{2, 0.3, 0.5, 2},
	failedUsers: countPrior{0.3, 1, 1, 0.3},
	ceiling:     subdued,
}

// crowd is a network, or a device, which is a program's fingerprint that
// thousands share. Their rate is worth telling, but it must never alarm alone:
// one noisy neighbour, or a browser's new version, would have everybody behind
// it stopped.
var crowd = priors{
	requests1m:  countPrior{100, 0.3, 1, smallestMean},
	requests10m: countPrior{500, 0.3, 1, smallestMean},
	requests1h:  countPrior{2000, 0.3, 1, smallestMean},
	errors10m:   countPrior{50, 0.3, 0.5, 50},
	tried10m:    countPrior{5, 0.3, 0.5, 5},
	failedUsers: countPrior{2, 1, 1, 1},
	ceiling:     subdued,
}

// login is a sign-in route as a whole: people mistype as regularly as they come.
var login = priors{
	failedUsers: countPrior{5, 2, 4, 2},
	ceiling:     subdued,
}

func priorsOf(kind profile.Kind) *priors {
	switch {
	case habitual(kind):
		return &habits
	case kind == profile.KindAddress:
		return &address
	case kind == profile.KindLogin:
		return &login
	}
	return &crowd
}

// habitual kinds have a Habits tail.
func habitual(kind profile.Kind) bool {
	return profile.KindCaller <= kind && kind <= profile.KindUser
}

// subdued is a surprise of 10^-3: evidence to be read, never enough to alarm
// by itself. What cannot be told from novelty or from a trend that everybody
// shares is held to it until calibration against peers can tell.
const subdued = 3 / log10of2

const log10of2 = math.Log10E * math.Ln2

// Half-lives. A baseline of windows forgets half in 50 active hours, about a
// working week, whatever the window's width: with 50 active minutes a nightly
// batch would be forgotten by the morning and alarm every night.
var (
	decay1m       = math.Exp2(-1.0 / 3000)
	decay10m      = math.Exp2(-1.0 / 300)
	decay1h       = math.Exp2(-1.0 / 50)
	decaySession  = math.Exp2(-1.0 / 150) // devices, networks: sessions
	decayHours    = math.Exp2(-1.0 / 400) // active hours
	decayResponse = math.Exp2(-1.0 / 1000)
)

// bits is the surprise of k in a window, given the closed windows before. The
// anchor, where it is not 0, is the slow mean: what is usual is the lesser of
// both, so that nobody teaches the fast one in small steps.
func (p *countPrior) bits(k float64, m *window.Moments, anchor float64) (bits, expected float64) {
	n := finite(m.N, 0, 1e6)
	mean := finite(m.Mean, p.least, 1e6)
	expected = (n*mean + priorWindows*p.mean) / (n + priorWindows)
	if anchor != 0 {
		expected = min(expected, max(anchor, p.least))
	}
	// Half as much again is ordinary, without a logarithm: at the most
	// regularity that is believed, one window in ten has it.
	if k-0.5 <= 1.5*expected {
		return ordinary, expected
	}
	s := countBits(k, expected, p.regularity(n, mean, m.Var()))
	return max(ordinary, s*confidence(n)), expected
}

// regularity is the size r of the negative binomial: the method of moments,
// r = mean^2/(variance - mean), drawn towards the cohort's.
func (p *countPrior) regularity(n, mean, variance float64) float64 {
	own := p.most
	if variance > mean && mean > 0 {
		own = min(max(mean*mean/(variance-mean), 0.1), p.most)
	}
	l := n / (n + shrinkage)
	return math.Exp(l*math.Log(own) + (1-l)*math.Log(p.r))
}

// confidence is how far a baseline of n windows is to be believed. p^c >= p for
// c <= 1, so a finding held back by it errs towards quiet.
func confidence(n float64) float64 { return min(n/shrinkage, 1) }
