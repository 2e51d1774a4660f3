# METADATA
# description: |
#   Inputs for tests, made of data.wonted.test.input. wonted itself does not load
#   what is in this directory.
package wonted.test

# anomaly is an exchange that one detector alone calls anomalous: "takeover".
anomaly(detector) := object.union(data.wonted.test.input, {
	"score": 6.5,
	"anomalous": true,
	"severity": "high",
	"detectors": {detector: 6.5},
	"strongest": detector,
	"evidence": [{
		"detector": detector,
		"score": 6.5,
		"observed": 100,
		"expected": 1,
		"unit": "requests",
		"window": "1m",
		"entity": "caller",
		"summary": "100 requests in a minute where 1 is usual",
		"attack": "automated abuse",
		"owasp": "API4:2023",
	}],
})
