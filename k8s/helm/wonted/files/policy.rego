# The policy of a wonted that was given none. Copy it to start your own: a
# directory named by `policy.path` (or --policy) replaces it.
#
# Every rule is a set, and every rule that fires counts: deny over challenge
# over throttle. In mode "shadow", the default, nothing of this is carried out;
# it is recorded as what would have been done.
package wonted.policy

# A key and a second value beside it in the same header: the upstream believes
# one of them and the profiles know neither, so that a stolen key would have no
# past. No honest client does that.
deny contains {"rule": "contested", "reason": "one credential header with several values", "status": 400} if input.identity.contested

# What an anomaly is due to says what is done with it. The two tables have every
# detector, with the reason that is given; a rule is called by its detector.
#
# A challenge asks as long as the anomaly lasts, also of who has just signed in:
# so has a thief who knows the password. Which acr and what age of a sign-in
# prove enough, only you know: `not` a rule of yours by input.identity.acr and
# input.identity.auth_age lets these pass.
challenge contains {"rule": detector, "reason": challenges[detector]} if some detector in causes

challenges := {
	# Who, whence, when. A new device, a new network or an odd hour is common
	# enough on its own and stays below the threshold; together they are what a
	# stolen key looks like, and so is a session that is in two places by turns.
	# Its owner can pass a challenge, a thief cannot.
	"takeover": "device, network and hour are unlike this caller",
	"device": "not a device of this caller",
	"network": "not a network of this caller",
	"country": "not a country of this caller",
	"hour": "not an hour of this caller",
	"switches": "from one device or network to the next",
	"replay": "to and fro between two devices or networks",
	# What for. An account that is used for other things than it was, in another
	# order, by other methods or by another version of the API, may have found
	# another owner.
	"usage": "not what this caller asks for",
	"sequence": "not the order in which this caller does things",
	"method": "not a method of this caller",
	"version": "not the version of the API that this caller uses",
	# Somebody is trying a list. Sign-ins fail for many names that never signed in
	# from there, from one place or all over the route; what is challenged are
	# further attempts of that sort, while whoever signs in from where they always
	# do goes on. People who are among them can pass a challenge, a program hardly.
	"stuffing": "many names fail to sign in that never did from there",
}

throttle contains {"rule": detector, "reason": throttles[detector], "retry_after": 30} if some detector in causes

throttles := {
	# How much. More requests than usual, more bytes or records (a list being paged
	# through), at once or for hours, more objects never touched before, or one
	# credential seen with ever new companions: slow it down. What is slowed down is
	# the request that is itself the evidence.
	"rate": "more requests than usual",
	"volume": "more data in a response than usual",
	"bulk": "more data than usual",
	"drift": "more data than usual, for hours",
	"slow": "more than usual, for days",
	"new_objects": "more new objects than usual",
	"companion": "more companions than usual",
	# What there is. Ids being walked, routes being guessed, one error after the
	# other: it takes many requests to find something so.
	"enumeration": "ids are being walked",
	"recon": "routes are being guessed",
	"errors": "more errors than usual",
}

# Much that is hardly worth telling may be odd together.
throttle contains {"rule": "together", "reason": "unusual in many small ways", "retry_after": 30} if {
	input.anomalous == true
	count(causes) == 0
}

# The detectors that an anomaly is due to: those that would reach the threshold
# alone; where several have to come together for that, the one that found most.
# (By `== true` OPA passes such rules over in an index, without beginning them.)
causes contains detector if {
	input.anomalous == true
	some detector, score in input.detectors
	score >= input.threshold
}

causes contains input.strongest if input.anomalous == true

# How much at once. A response ends where it stops being ordinary for whoever is
# known well enough, be it the caller, its credential, its session or its user:
# at its headers where its size is declared, while it streams where it is not.
# Where nobody is, nothing is known to be usual, and nothing is bounded.
response_budget contains {"usual": 1}
