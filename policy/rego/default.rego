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
deny contains {"reason": "one credential header with several values", "status": 400} if input.identity.contested

# Who, whence, when. A new device, a new network or an odd hour is common
# enough on its own and stays below the threshold; together they are what a
# stolen key looks like. Its owner can pass a challenge, a thief cannot.
challenge contains "does not look like this caller: device, network and hour" if {
	input.anomalous
	some detector in {"takeover", "device", "network", "hour"}
	because_of(detector)
}

# Somebody is trying a list. Sign-ins fail for many names that never signed in
# from there, from one place or all over the route; what is challenged are further
# attempts of that sort, while whoever signs in from where they always do goes on.
# People who are among them can pass a challenge, a program hardly.
challenge contains "many names fail to sign in that never did from there" if {
	input.anomalous
	because_of("stuffing")
}

# How much. More requests than usual, more bytes or records in a while (a list
# being paged through), more objects never touched before (ids being walked), or
# one credential seen with ever new companions: slow it down. What is slowed
# down is the request that is itself the evidence.
throttle contains {"reason": "more than usual for this caller", "retry_after": 30} if {
	input.anomalous
	some detector in {"rate", "volume", "new_objects", "companion"}
	because_of(detector)
}

# How much at once. A response ends where it stops being ordinary for whoever is
# known well enough, be it the caller, its credential, its session or its user:
# at its headers where its size is declared, while it streams where it is not.
# Where nobody is, nothing is known to be usual, and nothing is bounded.
response_budget contains {"usual": 1}

# A detector is a cause where it alone would reach the threshold.
because_of(detector) if input.detectors[detector] >= input.threshold
