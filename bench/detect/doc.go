// Package detect measures how well wonted detects, and at what price: `wonted
// bench detect`. A synthetic population lives through days of event time; its
// exchanges go through scoring.Scorer exactly as live ones do; attacks are played
// on it, and what is found of them is held against what is wrongly found of
// everybody else.
//
// # Where things are
//
//	population   class.go identity.go place.go    who there is, and what they are used to
//	             sitting.go step.go               what one of them does next
//	             api.go                           the API that they use, and their ways through it
//	             world.go                         what happens to all of them
//	             stream.go                        all of it, merged by time
//	one exchange call.go                          its plan, and an Exchange made of it
//	engine       config.go engine.go              what is run, and the worlds that it takes
//	             play.go                          the stream through the scorer, and trials in between
//	             fork.go                          what has been played, undone
//	             window.go tally.go               what is counted of the benign stream
//	             trial.go                         what is counted of an attack
//	attacks      scenario.go attack.go            what a scenario is, and what it can do
//	             attack_*.go                      a file a family
//	             long.go                          those that take days, on victims of their own
//	baselines    baseline.go baseline_*.go        what people use today, a file each
//	figures      measure*.go stats.go             from what was counted to what is reported; measure_informed.go
//	                                              has what one who knows all of this takes
//	report       report*.go                       as text, JSON, HTML; report_words.go has what they share
//	emit.go                                       the stream, to be replayed
//
// # To add a scenario
//
// Put it into the file of its family, or a new attack_FAMILY.go with a function
// that returns its Scenarios, and name that function in Scenarios (scenario.go).
// Play gets an [Attack]: take a Call like the victim's own, change what is
// different, Play it, Wait. A benign twin is a Scenario with Benign set, and the
// attack names it as its Twin. What takes days sets Over instead of Play, and gets
// a [Long]. A family that was written after the detectors and
// that nobody may tune to sets HeldOut.
//
// # To add a baseline
//
// Implement baseline in baseline_NAME.go, its state in states so that a fork
// leaves no trace, and name it in baselines (baseline.go). It gets no threshold:
// it says how odd an exchange is in any unit, and is compared at the same
// false-alarm rate.
//
// # How it is measured
//
// A window is an identity's ten minutes with activity; its score is the highest
// of its exchanges. The evaluation days' benign windows give each judge the
// threshold at which it has a false-alarm rate of 1e-3 and 1e-4. A trial is found
// when one of its exchanges reaches that. Intervals are 95 %, by bootstrap over
// identities or victims. "Stopped" is another question: whether wonted's own
// threshold was reached, and what had left by then.
//
// Attacks are forked: at a moment of the evaluation days the records that an
// attack touches are copied, and what it writes beside them; it is played, and
// all is put back. So every trial starts from the same past, and the benign stream
// never hears of any. The null control is a scenario like the others, in which the
// victim itself goes on; it must be found as often as benign windows are, or the
// harness is at fault.
//
// Those that take days have victims of their own, in worlds of their own: there
// they are one in twenty, and nobody else should be judged among such; nor does
// calibration learn from what is done to them. Their population is drawn alike, and
// their days may be more ([Config].Lasting). What wonted does not beat is said
// below the table; what no detector was written for stands apart.
//
// # Choices of the population, and why
//
// None is made for a detector's sake. Numbers are medians; spreads are log-normal
// and wide, between identities and within one.
//
//   - People are six in ten of the identities and a tenth of the traffic; programs
//     make the rest. So it is with APIs, and pooled figures are mostly theirs:
//     hence the figures by class.
//   - A device is a fingerprint that thousands share (TLS hello and user agent),
//     not a machine: an attacker may well have a common one. A person's session has
//     one that is new about once in a hundred, mostly by an update.
//   - A person comes from home, from an office that 25 share behind one address,
//     and through a carrier that gives another of eight networks each time; one in
//     fifty days begins a journey abroad. A partner's requests alternate between
//     gateways, for some in two networks: the benign twin of a replay.
//   - Sittings are Poisson over hours of one's own, weekends weaker; a few per cent
//     ignore the hours. Requests a sitting are log-normal with sigma 0.9: a visit
//     ten times the usual is rare, not impossible.
//   - Everybody goes through the API by its class's ways with weights of its own
//     (log-normal, sigma 0.8), and seldom anywhere else.
//   - Objects are mostly of late, some new. Ids of orders come from one sequence for
//     all callers, so one's own are not adjacent; a batch job reads what has come
//     since yesterday, in order, most of it new: the benign twin of a walk.
//   - One sitting in a hundred has thirty times its errors; programs retry what
//     fails, and once in two months without end. An upstream that fails three
//     requests in ten, for minutes, every third day.
//   - One list in thirty of a person's is of another length, up to ten times; one
//     record in five hundred is up to twenty times as large.
//   - One identity in ten comes new during the run, one in 25 leaves.
//   - In the evaluation days: a day on which people come three times as often; a
//     release with four routes, taken up over hours; a carrier that spreads its
//     customers over 400 networks, in 15 % of sessions; clocks that move by an
//     hour; a month's end with batches six times as large; a wave of new passwords
//     and keys.
//   - Exchanges do not overlap: each is over before the next begins. What is in
//     flight at once is not measured here.
package detect
