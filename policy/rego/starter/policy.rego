# The policy: what is done about what wonted finds, one rule for each threat.
#
# Every rule is a set that says why. wonted reads deny, challenge, throttle,
# allow, response_budget, severity, inspect and the header rules, and combines
# them: an exception (allow) lifts the others, then deny over challenge over
# throttle. The reason is for your log; a client never sees it.
#
# What rules may read is in schema/input/schema.json. input.anomalous says that
# an exchange is unusual enough for the alert budget; causes, at the end, why.
package wonted.policy

# ---- Somebody else is using the account ----

# Take-over: a stolen key comes from another device and another network, at
# another hour. Its owner can pass a challenge, a thief cannot.
challenge contains "take-over" if found({"takeover", "device", "network", "country", "hour"})

# Session replay: a copied session is in two places by turns.
challenge contains "session replay" if found({"switches", "replay"})

# Account misuse: it is used for other things, by other methods or by another
# version of the API than it was.
challenge contains "account misuse" if found({"usage", "method", "version"})

# Workflow abuse: steps are taken in an order that nobody takes.
challenge contains "workflow abuse" if found({"sequence"})

# Credential stuffing and password spraying: many names fail to sign in where
# none of them ever did.
challenge contains "credential stuffing" if found({"stuffing"})

# ---- Somebody takes more than they should ----

# Exfiltration: a response ends where it stops being ordinary for whoever asks.
response_budget contains {"usual": 1}

# A list that is paged through, now or slowly for days.
throttle contains slowly("exfiltration") if found({"volume", "bulk", "drift", "slow"})

# Routes that dump a lot by design are for the networks that need them: name
# yours in data.json.
deny contains "exports are for the batch network" if {
	input.request.route in data.exports.routes
	not input.source.network in data.exports.networks
}

# Scalping and other automated abuse: more requests than usual.
throttle contains slowly("automated abuse") if found({"rate"})

# One credential with ever new companions: a farm of sessions or devices.
throttle contains slowly("identity evasion") if found({"companion"})

# ---- Somebody is looking around ----

# Enumeration: ids are walked, or objects touched that only others have touched.
throttle contains slowly("enumeration") if found({"enumeration", "new_objects"})

# Reconnaissance and probing: routes are guessed, and it rains errors.
throttle contains slowly("reconnaissance") if found({"recon", "errors"})

# A credential header with several values hides who is asking.
deny contains {"reason": "contested credential", "status": 400} if input.identity.contested

# ---- What else ----

# Much that is hardly worth telling may be odd together.
throttle contains slowly("unusual in many small ways") if {
	input.anomalous
	count(causes) == 0
}

# An exception: partners whose month's end always looks like a dump. For anything
# else that is odd about them there is none.
allow contains "a partner's month's end" if {
	input.identity.verified
	input.identity.name in data.partners
	count(causes - {"rate", "volume", "bulk", "drift", "slow"}) == 0
}

# The upstream may want to know.
request_headers contains {"name": "x-risk", "value": input.severity} if input.severity != "none"

# ---- What the rules above are made of ----

slowly(why) := {"reason": why, "retry_after": 30}

# found: the anomaly is due to one of these detectors.
found(detectors) if {
	some detector in detectors
	detector in causes
}

# The detectors that would reach the threshold alone; where several have to come
# together for that, the one that found most.
causes contains detector if {
	input.anomalous
	some detector, score in input.detectors
	score >= input.threshold
}

causes contains input.strongest if input.anomalous
