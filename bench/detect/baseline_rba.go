package detect

import "math"

// riskBased is the model of Freeman, Jain, Dürmuth, Biggio and Giacinto, "Who Are
// You? A Statistical Approach to Measuring User Authenticity" (NDSS 2016), by
// which services ask for a second factor: the likelihood that a sign-in with
// these features is an attacker's, over that it is the user's,
//
//	R = p(address)/p(address|u) * p(device)/p(device|u) * p(u|attack)/p(u|legit)
//
// An address that the user never had is backed off to its network and that to
// its country: with c(x) of the user's n sign-ins, and p(x) over all users,
//
//	p(x|u)/p(x) = (c(x)/p(x) + B r)/(n + B), r the same one level up, 1 at the top
//
// so that the unseen is as likely as in its surroundings. p(u|attack) is even,
// p(u|legit) the user's share of all sign-ins. The score is log2 R.
//
// A user's first sign-in is learned and not judged: there is nothing to compare.
//
// It judges and learns sign-ins; where a stolen key needs none, it is given one
// for every change of address or device, and every half hour without a request.
type riskBased struct {
	counts states[feature, float64]
	now    states[uint64, signedIn]
}

// feature is how often user signed in with value; user 0 is everybody, and the
// value of everySignIn the sign-ins as such.
type feature struct {
	user  uint64
	what  uint8
	value uint32
}

const (
	everySignIn = iota
	ofAddress
	ofNetwork
	ofCountry
	ofDevice
	users // how many there are
)

type signedIn struct {
	address Address
	device  uint32
	last    int64
}

const backoff = 2 // sign-ins that the level above is worth

func newRiskBased() *riskBased {
	return &riskBased{newStates[feature, float64](), newStates[uint64, signedIn]()}
}

func (*riskBased) name() string { return "risk-based authentication" }

func (r *riskBased) see(c *Call) float32 {
	if c.Caller == 0 {
		return 0 // the password was not judged yet, or is wrong
	}
	u := c.caller()
	s, _ := r.now.get(u)
	same := s.address == c.Address && s.device == c.Device && c.At-s.last < 30*minute
	r.now.set(u, signedIn{c.Address, c.Device, c.At})
	if same {
		return 0
	}
	a := c.Address
	values := [...]feature{{0, ofCountry, uint32(a.country())}, {0, ofNetwork, a.network()}, {0, ofAddress, uint32(a)}}
	where := 1.0
	for _, v := range values {
		where = r.ratio(u, v, where)
	}
	with := r.ratio(u, feature{0, ofDevice, c.Device}, 1)
	all, own, people := r.count(feature{}), r.count(feature{user: u}), r.count(feature{what: users})
	score := -math.Log2(where) - math.Log2(with) + math.Log2((all+1)/((own+1)*(people+1)))

	if own == 0 {
		r.add(feature{what: users})
	}
	for _, f := range append(values[:], feature{}, feature{0, ofDevice, c.Device}) {
		r.add(f)
		f.user = u
		r.add(f)
	}
	if own == 0 {
		return 0
	}
	return float32(max(score+32, 0)) // above 0, which says that nothing was judged
}

// ratio is p(x|u)/p(x), backed off to above.
func (r *riskBased) ratio(u uint64, x feature, above float64) float64 {
	p := (r.count(x) + 1) / (r.count(feature{}) + 1)
	n := r.count(feature{user: u})
	x.user = u
	return (r.count(x)/p + backoff*above) / (n + backoff)
}

func (r *riskBased) count(f feature) float64 {
	n, _ := r.counts.get(f)
	return n
}

func (r *riskBased) add(f feature) { r.counts.set(f, r.count(f)+1) }

func (r *riskBased) fork() { r.counts.fork(); r.now.fork() }
func (r *riskBased) back() { r.counts.back(); r.now.back() }
