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
//	             what was seen a generalised Pareto tail (tail.go). Of what
//	             lasts for hours, a trend, the share of the identity-days: its
//	             windows depend on each other, and one identity's would be most
//	e = 2^(S'/2)/2, S' of no more than 10^-8; E = sum of e over those that ran
//	p            the share of the cell's windows with so much E; no less than
//	             what the cohort's last day says, lest what everybody does today
//	             be odd (ring.go)
//	score        -log10 p, 0 to 12
//
// A sum (or mean) of e-values holds however the detectors depend on each other
// (Vovk and Wang 2021), and each one's part of it is the explanation. A single
// exchange is held against whole windows, which errs towards quiet. A cell with
// fewer windows than 500 borrows from its level's pool; a level without, and a
// detector that hardly ever ran, are judged by the model, held back: see
// Uncalibrated, which is what a cold start has.
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
// What scores 12 alarms whatever the budget, since the threshold ends there; and what is no statistics, a proof
// in a payload, never comes here.
//
// Tables are there after 1,000 windows of a level: of newcomers within the first
// hours, of the mature on the second day, since maturity takes one. Until half
// of the windows are judged by tables it is the learning phase.
//
// # Who may teach
//
// Only what the upstream accepted. An identity teaches no more than eight windows
// a day that are one in a thousand, and in a fortnight one that is one in ten
// thousand or alarmed: what five identities do within weeks is known to happen,
// what one does however often is not. Into the ring goes one a day, and none that
// alarmed. What alarms together, by the same detector from one network,
// with one device or on one route, is a campaign (campaigns.go): one alert, one
// step of the threshold, and no lesson.
//
// The package imports window for its logarithm and nothing else of wonted: it
// knows numbers only. Time is a parameter. Start at Peers, then observe.go.
package calibrate
