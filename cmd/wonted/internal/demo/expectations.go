package demo

import "github.com/wonted-project/wonted/policy"

// What the story says must happen. The live scenes and the test that tells the
// story at every hour of a week ask the same.

func expectNothingStopped(s *scene, walked, pulled deed) {
	s.expect(walked.Answered == walkLength && walked.Records == walkLength,
		"every order that the thief tried was answered", "%s", walked)
	s.expect(pulled.Answered == pulls && pulled.Records == pulls*pullRecords,
		"every list that the thief pulled was answered in full", "%s", pulled)
}

func expectChallenged(s *scene, d deed) {
	s.expect(d.Challenged == d.Requests, "everything from the strange place was challenged with 401", "%s", d)
	s.expect(d.First != nil && (d.First.Challenge != "" || d.First.Status != 401),
		"the challenge says how to authenticate (www-authenticate)", "%s", d)
}

func expectThrottled(s *scene, d deed) {
	s.expect(d.Throttled > 0 && d.First != nil && d.First.Status == 429,
		"walking object ids was throttled with 429", "%s", d)
	s.expect(d.Answered < d.Requests/2 && d.Answered+d.Throttled == d.Requests,
		"most of the walk was not answered", "%s", d)
	s.expect(d.First != nil && d.First.RetryAfter != "", "the throttle says when to come back (retry-after)", "%s", d)
}

func expectCut(s *scene, d deed) {
	s.expect(d.Answered == 0, "no dump was answered in full", "%s", d)
	s.expect(d.Cut > 0 && d.First != nil && d.First.Broken, "the dump was cut while it streamed", "%s", d)
	s.expect(d.Records < pullRecords/10, "a small part of the dump left", "%s", d)
}

func expectUndisturbed(s *scene, h harm) {
	s.expect(h.Customers > 0 && h.Disturbed == 0, "nobody else was disturbed",
		"%d of %d customers disturbed: %v", h.Disturbed, h.Customers, h.Who)
}

func expectExplained(s *scene, what string, why *policy.Report) {
	s.expect(why != nil && len(why.Evidence) > 0, "wonted explains the "+what, "report %+v", why)
}
