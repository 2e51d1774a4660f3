package extproc

import (
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
)

// TestMarks: dynamic metadata goes with every verdict and again with every news
// of it, in shadow too, and carries the one id of the exchange.
func TestMarks(t *testing.T) {
	type m = map[string]any
	f := func(name string, h hooks, want ...m) {
		t.Helper()
		g := &fakeGate{hooks: h}
		s := newServer(g, nil)
		stream := &script{messages: encodeWords(t, []string{"rqh$", "rsh", "rsb", "rsb$"})}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		g.check(t)
		id := g.last.ID.String()
		var got []m
		for _, a := range stream.answers {
			got = append(got, markOf(t, a, id))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	scored := func(v policy.Verdict, score float64) func(*policy.Case) policy.Verdict {
		return func(c *policy.Case) policy.Verdict {
			c.Exchange.Assessment.Score = score
			return v
		}
	}
	shadow := func(a policy.Action, class string) policy.Verdict {
		v := refusal(a, class)
		v.Mode, v.Pass = policy.Shadow, true
		return v
	}
	calm := m{"score": 1.5, "action": "allow", "mode": "enforce"}

	f("nothing new", hooks{onOpen: scored(allow(), 1.5), onAnswer: always(withBody(allow()))}, calm, nil, nil, nil)
	f("higher at the response", hooks{onOpen: scored(allow(), 1.5), onAnswer: scored(withBody(allow()), 2)},
		calm, m{"score": 2.0, "action": "allow", "mode": "enforce"}, nil, nil)
	f("refused", hooks{onOpen: scored(refusal(policy.Challenge, "step-up"), 7)},
		m{"score": 7.0, "action": "challenge", "mode": "enforce", "class": "step-up"}, nil, nil, nil)
	f("cut", hooks{onOpen: scored(allow(), 1.5), onAnswer: always(withBody(allow())), onMeter: scored(refusal(policy.Deny, "budget"), 9)},
		calm, nil, m{"score": 9.0, "action": "deny", "mode": "enforce", "class": "budget"}, nil)
	f("would be throttled", hooks{onOpen: scored(shadow(policy.Throttle, "rate"), 5), onAnswer: always(withBody(shadow(policy.Throttle, "rate"))),
		onMeter: always(shadow(policy.Throttle, "rate"))},
		m{"score": 5.0, "action": "throttle", "mode": "shadow", "class": "rate"}, nil, nil, nil)
	f("would be cut", hooks{onOpen: scored(allow(), 1.5), onAnswer: always(withBody(allow())), onMeter: always(shadow(policy.Deny, "budget"))},
		calm, nil, m{"score": 1.5, "action": "deny", "mode": "shadow", "class": "budget"}, nil)
}

// markOf is the metadata of an answer without its id, which must be this one;
// nil where there is none.
func markOf(t *testing.T, r *extprocv3.ProcessingResponse, id string) map[string]any {
	t.Helper()
	if r.DynamicMetadata == nil {
		return nil
	}
	all, _ := r.DynamicMetadata.AsMap()[namespace].(map[string]any)
	if all["id"] != id {
		t.Errorf("id %v, not %s", all["id"], id)
	}
	delete(all, "id")
	return all
}

// TestHeaderRules: a policy's mutations are on the answers to both headers.
func TestHeaderRules(t *testing.T) {
	with := func(v policy.Verdict, d policy.Decision) policy.Verdict {
		v.Decision = &d
		return v
	}
	g := &fakeGate{hooks: hooks{
		onOpen: always(with(allow(), policy.Decision{Action: policy.Allow, Request: []policy.HeaderRule{{Name: "x-wonted-score", Value: "9"}}})),
		onAnswer: always(with(withBody(allow()), policy.Decision{Action: policy.Allow, Response: []policy.HeaderRule{
			{Name: "server", Remove: true}, {Name: "x-risk", Value: "low"},
		}})),
	}}
	s := newServer(g, nil)
	request := rq(lines(":method", "GET", ":path", "/", "x-wonted-score", "0", "x-wonted-admin", "1"), true)
	stream := &script{messages: [][]byte{marshal(t, request), marshal(t, words["rsh"])}}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	mutated := func(r *extprocv3.HeadersResponse) (got []string) {
		for _, h := range r.GetResponse().GetHeaderMutation().GetSetHeaders() {
			got = append(got, h.Header.Key+"="+string(h.Header.RawValue))
		}
		for _, name := range r.GetResponse().GetHeaderMutation().GetRemoveHeaders() {
			got = append(got, "-"+name)
		}
		return got
	}
	if diff := cmp.Diff([]string{"x-wonted-score=9", "-x-wonted-admin"}, mutated(stream.answers[0].GetRequestHeaders())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x-risk=low", "-server"}, mutated(stream.answers[1].GetResponseHeaders())); diff != "" {
		t.Error(diff)
	}
	if got := brief(stream.answers[0]) + " " + brief(stream.answers[1]); got != "rqh+headers rsh+body" {
		t.Errorf("%s: the modes went missing", got)
	}
}
