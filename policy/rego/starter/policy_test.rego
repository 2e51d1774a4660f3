# A test takes an ordinary input and changes what the rule looks at. There are
#
#   data.wonted.test.input       an ordinary request of a caller that is well known
#   test.anomaly("takeover")     the same, anomalous because of that detector
#   combine.decision             what wonted makes of all the rules together
package wonted.policy_test

import data.wonted.combine
import data.wonted.policy
import data.wonted.test

test_the_ordinary_passes if {
	combine.decision.action == "allow" with input as data.wonted.test.input
}

test_a_response_is_bounded_by_what_is_usual if {
	combine.decision.budget.usual == 1 with input as data.wonted.test.input
}

test_take_over if {
	"take-over" in policy.challenge with input as test.anomaly("takeover")
}

test_session_replay if {
	"session replay" in policy.challenge with input as test.anomaly("replay")
}

test_account_misuse if {
	"account misuse" in policy.challenge with input as test.anomaly("usage")
}

test_workflow_abuse if {
	"workflow abuse" in policy.challenge with input as test.anomaly("sequence")
}

test_credential_stuffing if {
	"credential stuffing" in policy.challenge with input as test.anomaly("stuffing")
}

test_paging_through_a_list if {
	combine.decision.reason == "exfiltration" with input as test.anomaly("volume")
}

test_automated_abuse_is_told_when_to_come_back if {
	combine.decision.action == "throttle" with input as test.anomaly("rate")
	combine.decision.retry_after == 30 with input as test.anomaly("rate")
}

test_identity_evasion if {
	combine.decision.reason == "identity evasion" with input as test.anomaly("companion")
}

test_enumeration if {
	combine.decision.reason == "enumeration" with input as test.anomaly("enumeration")
}

test_reconnaissance if {
	combine.decision.reason == "reconnaissance" with input as test.anomaly("recon")
}

test_small_things_together if {
	many := object.union(data.wonted.test.input, {"anomalous": true, "score": 5})
	combine.decision.reason == "unusual in many small ways" with input as many
}

test_exports_are_for_the_batch_network if {
	combine.decision.action == "deny" with input as data.wonted.test.input
		with input.request.route as "GET /example/export"
	combine.decision.action == "allow" with input as data.wonted.test.input
		with input.request.route as "GET /example/export"
		with data.exports.networks as [data.wonted.test.input.source.network]
}

test_a_contested_credential if {
	combine.decision.status == 400 with input as data.wonted.test.input
		with input.identity.contested as true
}

test_a_partner_is_an_exception if {
	combine.decision.action == "allow" with input as test.anomaly("volume")
		with input.identity.name as "acme"
		with data.partners as ["acme"]
	combine.decision.action == "challenge" with input as test.anomaly("takeover")
		with input.identity.name as "acme"
		with data.partners as ["acme"]
}

test_the_upstream_is_told if {
	combine.decision.request_headers["x-risk"] == "high" with input as test.anomaly("rate")
}
