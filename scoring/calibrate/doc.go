// Package calibrate turns surprise into a score: what the detectors say in
// bits becomes -log10 of a p-value among peers, and a threshold beside it that
// a budget of alerts sets.
//
// What a detector's formula calls one in ten thousand happens more often, or
// never. So windows are counted, ten minutes of one identity, by the most that
// each detector found in them, in cells of peers (cohort and level of maturity):
//
//	S            bits, as the detector has them
//	S'           -log2 of the share of the cell's windows with so much; beyond
//	             what was seen a generalised Pareto tail (tail.go)
//	e = 2^(S'/2)/2, E = sum of e over those that ran
//	p            the share of the cell's windows with so much E; no less than
//	             what the cohort's last day says, lest what everybody does today
//	             be odd (ring.go)
//	score        -log10 p, 0 to 12
//
// No one detector attests more than one window in 10^8, e = 5000: no cell has
// seen windows enough for that.
//
// What lasts for hours, a trend (Config.Lasting), is counted by the day: its
// windows depend on each other, and one identity's would be most of what was seen.
// S' is then the share of identity-days whose most was so much.
//
// A sum (or mean) of e-values holds however the detectors depend on each other
// (Vovk and Wang 2021), and each one's part of it is the explanation. A single
// exchange is held against whole windows, which errs towards quiet. A cell with
// fewer windows than 5,000 borrows from its level's pool, 500 at the most; a level
// without, and a detector that hardly ever ran, are judged by the model, held
// back: see Uncalibrated, which is what a cold start has.
//
// # The budget
//
// "One alert a day for a thousand identities" moves the threshold (budget.go):
// up when an identity-day alarms, down a little with every one that is over. The
// alerts of T identity-days are then
//
//	alpha T + (tau_T - tau_0)/eta    eta = 0.2, tau of 3 to 12
//
// whatever the traffic does; with the threshold a half above where it set out
// that is 2.5 alerts more than the budget, and never more than 45. So what a
// budget of 1 in 1,000 means is known after some 20,000 identity-days to a
// quarter: a week of 3,000 identities. A hundred identities have such an alert
// every ten days, and what protects them until then is that the threshold sets
// out from the calibrated quantile, that of alpha over the windows of a day.
// What scores 12 alarms whatever the budget, since the threshold ends there; and
// what is no statistics, a proof in a payload, never comes here.
//
// Once a day's alerts are used up (Budget.PerDay), the threshold stands two higher
// for the rest of that day, but for who has had an alert in it.
//
// Tables are there after 1,000 windows of a level: of newcomers within the first
// hours, of the mature on the second day, since maturity takes one. Until half
// of the windows are judged by tables it is the learning phase.
//
// # Who may teach
//
// Only what the upstream accepted. An identity teaches no more than eight windows
// a day that are one in a thousand, and in a fortnight, in which half of all that
// was counted is forgotten, one that is one in ten thousand or alarmed: what five
// identities do within weeks is known to happen, what one does however often is
// not. Where no table says yet how rare something is, 20 bits of a detector and a
// sum of 256 are; and where so many had more before there was a table that it
// calls nothing rare, a sum of 256 still is.
//
// Of what lasts there is one lesson a day, and no other bound. Into the ring goes
// one window a day, and none that alarmed. What alarms together, by the same
// detector from one network, with one device or on one route, is a campaign
// (campaigns.go): one alert, one step of the threshold, and no lesson.
//
// The package imports window for its logarithm and nothing else of wonted: it
// knows numbers only. Time is a parameter. Start at Peers, then observe.go.
package calibrate
