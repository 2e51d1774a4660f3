package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// traits count what the members of a cohort are like: the mean of each count,
// and how it varies within one member; the middle of ten minutes' volume; how
// often something is new. What is believed of a stranger follows: its mean is
// drawn from the members' means, log-normal, so
//
//	mean    exp(mu + s^2/2)
//	1/r     (1 + 1/r_within) exp(s^2) - 1
//
// with the median mu of the logarithms and their spread s, which is half of what
// lies between the quantiles 16 and 84 %.
type traits struct {
	Means, Within [counts]tally  // log2
	Volumes       [volumes]tally // log2(1+v) already
	Novel         [novelties]struct{ New, N float32 }
	Established   float32 // 1: there were members enough once, and beliefs are held to their speed
}

const (
	counts    = 6 // requests a minute, ten minutes, hour; new objects of ten minutes, hour; errors
	volumes   = 2 // bytes, records of ten minutes
	novelties = 3 // device, network, country
)

const (
	traitsFade   = 0.93 // a day: half in ten days
	traitMembers = 20.0 // the coarser belief is worth so many members,
	traitSights  = 200  // and so many sessions where novelty is concerned
	mostSpread   = 2.0  // doublings between members that are believed
	beliefSpeed  = 0.25 // a belief moves by a quarter of itself a day
)

var (
	meanAxis   = axis{-6, 0.5}
	withinAxis = axis{-10, 0.25}
	volumeAxis = axis{0, 0.75}
)

// momentsOf are the record's moments of the counts, in their order.
func momentsOf(rec *profile.Record) [counts]*window.Moments {
	b := &rec.Baseline
	return [counts]*window.Moments{&b.Requests1m, &b.Requests10m, &b.Requests1h, &b.New10m, &b.New1h, &b.Errors10m}
}

// add takes a member's day.
func (t *traits) add(rec *profile.Record) {
	for i, m := range momentsOf(rec) {
		if m.N >= shrinkage {
			t.Means[i].add(meanAxis, math.Log2(finite(m.Mean, 1.0/64, 1e6)), 1)
			t.Within[i].add(withinAxis, math.Log2(max(dispersion(m), 1.0/1024)), 1)
		}
	}
	for i, m := range [volumes]*window.Moments{&rec.Baseline.Bytes10m, &rec.Baseline.Records10m} {
		if m.N >= shrinkage {
			t.Volumes[i].add(volumeAxis, finite(m.Mean, 0, 64), 1)
		}
	}
	h := rec.Habits()
	for i, n := range [novelties]*window.Novelty{&h.DeviceNovelty, &h.NetworkNovelty, &h.CountryNovelty} {
		seen := finite(n.N, 0, 1e6)
		if seen < matureSessions {
			continue
		}
		weight := min(1, 30/seen) // nobody speaks for more than thirty sessions, nor is new in more than each fourth
		t.Novel[i].N += float32(seen * weight)
		t.Novel[i].New += float32(min(finite(n.New, 0, 1e6), seen/4) * weight)
	}
}

func (t *traits) fade() {
	if t.Means[1].N >= traitMembers {
		t.Established = 1
	}
	for i := range t.Means {
		t.Means[i].fade(traitsFade)
		t.Within[i].fade(traitsFade)
	}
	for i := range t.Volumes {
		t.Volumes[i].fade(traitsFade)
	}
	for i := range t.Novel {
		t.Novel[i].N *= traitsFade
		t.Novel[i].New *= traitsFade
	}
}

// belief is what follows of the traits, in numbers.
type belief struct {
	Mean, R [counts]float64
	Volume  [volumes]float64
	Novelty [novelties]float64
}

// belief draws what was counted towards the coarser belief, by how much of it
// there is.
func (t *traits) belief(before, parent *belief) belief {
	b := *parent
	for i := range t.Means {
		n := float64(t.Means[i].N)
		if n == 0 {
			continue
		}
		s := min((t.Means[i].quantile(meanAxis, 0.84)-t.Means[i].quantile(meanAxis, 0.16))/2, mostSpread) * math.Ln2
		mean := math.Exp2(t.Means[i].quantile(meanAxis, 0.5)) * math.Exp(s*s/2)
		within := math.Exp2(t.Within[i].quantile(withinAxis, 0.5))
		r := min(max(1/((1+within)*math.Exp(s*s)-1), 0.1), 8)
		b.Mean[i] = between(parent.Mean[i], mean, n)
		b.R[i] = between(parent.R[i], r, n)
	}
	for i := range t.Volumes {
		n := float64(t.Volumes[i].N)
		b.Volume[i] = (n*t.Volumes[i].quantile(volumeAxis, 0.5) + traitMembers*parent.Volume[i]) / (n + traitMembers)
	}
	for i, c := range t.Novel {
		b.Novelty[i] = (float64(c.New) + traitSights*parent.Novelty[i]) / (float64(c.N) + traitSights)
	}
	if t.Established == 1 {
		b.holdTo(before)
	}
	return b
}

// between is ln x = l ln own + (1-l) ln parent, l = n/(n+20).
func between(parent, own, n float64) float64 {
	l := n / (n + traitMembers)
	return math.Exp(l*math.Log(own) + (1-l)*math.Log(parent))
}

// holdTo keeps every number within a quarter of what it was.
func (b *belief) holdTo(before *belief) {
	near := func(now, was []float64) {
		for i := range now {
			if was[i] > 0 {
				now[i] = min(max(now[i], was[i]/(1+beliefSpeed)), was[i]*(1+beliefSpeed))
			}
		}
	}
	near(b.Mean[:], before.Mean[:])
	near(b.R[:], before.R[:])
	near(b.Novelty[:], before.Novelty[:])
	for i := range b.Volume { // a logarithm already
		b.Volume[i] = min(max(b.Volume[i], before.Volume[i]-beliefSpeed), before.Volume[i]+beliefSpeed)
	}
}

// counted are the priors of the counts, in their order.
func (p *priors) counted() [counts]*countPrior {
	return [counts]*countPrior{&p.requests1m, &p.requests10m, &p.requests1h, &p.new10m, &p.new1h, &p.errors10m}
}

// beliefIn is the belief that priors hold.
func beliefIn(p *priors) (b belief) {
	for i, c := range p.counted() {
		b.Mean[i], b.R[i] = c.mean, c.r
	}
	b.Volume = [volumes]float64{p.bytes10m, p.records10m}
	b.Novelty = [novelties]float64{p.newDevice, p.newNetwork, p.newCountry}
	return b
}

// priors are the belief in the form that detectors read. What is believed at
// most and at least stays as it was chosen.
func (b *belief) priors() priors {
	p := habits
	for i, c := range p.counted() {
		c.mean, c.r = min(max(b.Mean[i], c.least), 1e6), min(max(b.R[i], 0.1), c.most)
	}
	p.bytes10m, p.records10m = b.Volume[0], b.Volume[1]
	// Rarer than a fifth of what is usual elsewhere would take a year to tell.
	p.newDevice = min(max(b.Novelty[0], habits.newDevice/5), 0.2)
	p.newNetwork = min(max(b.Novelty[1], habits.newNetwork/5), 0.2)
	p.newCountry = min(max(b.Novelty[2], habits.newCountry/5), 0.2)
	return p
}
