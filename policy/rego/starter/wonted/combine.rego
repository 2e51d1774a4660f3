# METADATA
# description: |
#   What wonted makes of the rules of package wonted.policy, for tests with
#   `opa test`. wonted itself combines in Go (policy.Rules.Combine says why);
#   a test of wonted holds the two together.
#
#     import data.wonted.combine
#
#     test_a_new_caller_gets_a_bounded_response if {
#         combine.decision.budget.records == 1000 with input.identity.mature as false
#     }
package wonted.combine

decision := {
	"action": action,
	"status": status,
	"retry_after": retry_after,
	"realm": realm,
	"acr_values": first("acr_values"),
	"max_age": least("max_age"),
	"redirect": first("redirect"),
	"quota": least("quota"),
	"window": max({0} | {v.window | some v in winning; v.quota == least("quota")}),
	"reason": reason,
	"severity": severity,
	"inspect": count(elements("inspect")) > 0,
	"budget": {
		"records": smallest("records"),
		"bytes": smallest("bytes"),
		"usual": smallest("usual"),
	},
	"quarantine": quarantine,
	"request_headers": headers(values("request_headers"), removals("remove_request_headers")),
	"response_headers": headers(values("response_headers"), removals("remove_response_headers")),
	"metadata": headers(labels, set()),
	"conflicts": (conflicts(values("request_headers")) + conflicts(values("response_headers"))) + conflicts(labels),
}

# The elements of a rule; none where the policy has no such rule.
elements(rule) := {element | some element in data.wonted.policy[rule]}

# What is in shadow only tells what it would have done. Whom else a rule is not
# for (rollout, cohorts), wonted knows by the caller: here it is for everybody.
verdicts(rule) := {object.union(unsaid, normal(element)) |
	some element in elements(rule)
	not element.shadow
}

unsaid := object.union({"reason": ""}, untold)

untold := {
	"status": 0, "retry_after": 0, "realm": "",
	"acr_values": "", "max_age": 0, "redirect": "",
	"quota": 0, "window": 0,
}

normal(element) := {"reason": element} if is_string(element)

normal(element) := element if is_object(element)

# Deny over challenge over throttle. An exception (allow) lifts all three.
default severest := "allow"

severest := "deny" if {
	count(verdicts("deny")) > 0
} else := "challenge" if {
	count(verdicts("challenge")) > 0
} else := "throttle" if {
	count(verdicts("throttle")) > 0
}

excepted if count(elements("allow")) > 0

default action := "allow"

action := severest if not excepted

# What the winning rules want. An exception that lifts something gives its
# reason; one that had nothing to lift leaves none.
winning := verdicts(severest) if {
	not excepted
	severest != "allow"
} else := {object.union(v, untold) | some v in verdicts("allow")} if {
	excepted
	severest != "allow"
} else := set()

reason := concat("; ", sort({v.reason | some v in winning; v.reason != ""}))

status := max({0} | {v.status | some v in winning})

retry_after := max({0} | {v.retry_after | some v in winning})

realm := first("realm")

# Of words the first, of numbers the least; "" and 0 say nothing.
first(field) := min({v[field] | some v in winning; v[field] != ""}) if {
	some v in winning
	v[field] != ""
} else := ""

least(field) := min({v[field] | some v in winning; v[field] > 0}) if {
	some v in winning
	v[field] > 0
} else := 0

severity_names := ["", "low", "medium", "high", "critical"]

severity := severity_names[max({0} | {i | some i, name in severity_names; name in elements("severity")})]

# 0 is no bound.
smallest(unit) := min({budget[unit] | some budget in elements("response_budget"); budget[unit]}) if {
	count({1 | some budget in elements("response_budget"); budget[unit]}) > 0
} else := 0

# The longest time of each entity, in nanoseconds; 0: as the ladder has it.
quarantine := {entity: max(times) |
	some entity in {q.entity | some q in elements("quarantine")}
	times := {time.parse_duration_ns(object.get(q, "ttl", "0s")) | some q in elements("quarantine"); q.entity == entity}
}

# Header wishes by name. Of several values the one for the severest action wins,
# then the first; a value beats a removal.
ranks := {"allow": 1, "throttle": 2, "challenge": 3, "deny": 4}

values(rule) := {{"name": lower(w.name), "value": sprintf("%v", [w.value]), "rank": ranks[object.get(w, "for", "allow")]} |
	some w in elements(rule)
}

labels := {{"name": w.key, "value": sprintf("%v", [w.value]), "rank": ranks[object.get(w, "for", "allow")]} |
	some w in elements("metadata")
}

removals(rule) := {lower(name) | some name in elements(rule)}

headers(wishes, removed) := object.union(
	{name: null | some name in removed},
	{name: chosen(wishes, name) | some name in {w.name | some w in wishes}},
)

chosen(wishes, name) := min({w.value | some w in wishes; w.name == name; w.rank == top}) if {
	top := max({w.rank | some w in wishes; w.name == name})
}

# Values that lost.
conflicts(wishes) := sum([lost |
	some name in {w.name | some w in wishes}
	lost := count({w.value | some w in wishes; w.name == name}) - 1
])
