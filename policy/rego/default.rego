# The policy of a wonted that was given none. Copy it to start your own: a
# directory named by `policy.path` (or --policy) replaces it.
#
# Every rule is a set, and every rule that fires counts: deny over challenge
# over throttle. In mode "shadow", the default, nothing of this is carried out;
# it is recorded as what would have been done.
package wonted.policy

# Who, whence, when. A new device, a new network or an odd hour is common
# enough on its own and stays below the threshold; together they are what a
# stolen key looks like. Its owner can pass a challenge, a thief cannot.
challenge contains "does not look like this caller: device, network and hour" if {
	input.anomalous
	some detector in {"takeover", "device", "network", "hour"}
	because_of(detector)
}

# How much. More requests than usual, more objects never touched before (ids
# being walked), or one credential seen with ever new companions: slow it down.
# What is slowed down is the request that is itself the evidence.
throttle contains {"reason": "more than usual for this caller", "retry_after": 30} if {
	input.anomalous
	some detector in {"rate", "new_objects", "companion"}
	because_of(detector)
}

# How much at once. A response ends where it stops being ordinary for a caller
# that is known well enough: at its headers where its size is declared, while it
# streams where it is not.
response_budget contains {"usual": 1} if input.identity.mature

# A detector is a cause where it alone would reach the threshold.
because_of(detector) if input.detectors[detector] >= input.threshold
