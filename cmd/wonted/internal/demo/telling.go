package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// telling is one performance: what it plays on, and what has come of it.
type telling struct {
	*teller
	json   io.Writer // nil: text
	stage  *stage
	past   *past
	owner  customer
	now    time.Time
	scenes []*scene
	board  board
	others *crowd // everybody but the thief, over all scenes with wonted enforcing
}

// sending returns how a client sends to one Envoy, over connections of its own.
func (t *telling) sending(ctx context.Context, base string) (send sender, done func()) {
	c := newClient(base)
	return func(r request) outcome { return c.do(ctx, r) }, c.close
}

// close ends a scene: prints what was not as told, or the JSON. What an
// interrupted scene observed is the interruption's doing, and no verdict.
func (t *telling) close(ctx context.Context, s *scene) error {
	if ctx.Err() != nil {
		return interrupted(ctx, nil)
	}
	t.scenes = append(t.scenes, s)
	t.verdict(s.failed())
	return s.finish(t.json)
}

// opening says who is who.
func (t *telling) opening() {
	fmt.Fprintf(t.w, "%s\n\n", t.paint(bold, "One crime, told twice"))
	t.say("A sample API behind Envoy has %d customers. wonted knows five days of them: %s requests, played through its event-time path in %.1f s.",
		len(t.past.visitors), number(t.past.events), t.past.took.Seconds())
	t.say("%s is one: people in an office, nine to six, one network, one program, %d records a list.", t.owner.Name, t.owner.Page)
	t.say("Here it is %s, and somebody else has their API key.", t.now.Format("15:04"))
}

// without is the crime through an Envoy as it was before.
func (t *telling) without(ctx context.Context) error {
	s := &scene{Name: "without", Title: "Without wonted"}
	t.scene(1, s.Title, "Envoy alone")
	send, done := t.sending(ctx, t.stage.bare.URL())
	defer done()
	walked := walk(send, t.owner, asItself, walkLength)
	t.saw(didWalk, walked.String(), red)
	pulled := pull(send, t.owner, asItself)
	t.saw(didPull, pulled.String(), red)
	t.board.LostWithout = walked.Records + pulled.Records
	t.say("%s", t.paint(red, number(t.board.LostWithout)+" records lost, and nobody was told."))
	s.Observed = map[string]any{"thief": asItself, "walk": walked, "pull": pulled, "records_lost": t.board.LostWithout}
	expectNothingStopped(s, walked, pulled)
	return t.close(ctx, s)
}

// watching is the same crime, with wonted in shadow mode.
func (t *telling) watching(ctx context.Context) error {
	s := &scene{Name: "shadow", Title: "Rewind. With wonted, watching"}
	t.scene(2, s.Title, "mode: shadow")
	if err := t.stage.rewind(ctx, policy.Shadow); err != nil {
		return err
	}
	send, done := t.sending(ctx, t.stage.guarded.URL())
	defer done()
	walked := walk(send, t.owner, asItself, walkLength)
	t.saw(didWalk, walked.String(), red)
	pulled := pull(send, t.owner, asItself)
	t.saw(didPull, pulled.String(), red)

	all := walked.Requests + pulled.Requests
	would, err := t.stage.decisions(ctx, policy.Shadow, all)
	if err != nil {
		return interrupted(ctx, err)
	}
	reports := t.stage.wonted.awaitReports(ctx, func(r []*policy.Report) bool { return len(r) > 0 })
	t.say("Nothing was changed. What wonted would have done with these %d requests: %s.", all, would)
	t.explain(first(reports))
	s.Observed = map[string]any{
		"thief": asItself, "walk": walked, "pull": pulled, "records_lost": walked.Records + pulled.Records,
		"would": would, "explanation": first(reports),
	}
	expectNothingStopped(s, walked, pulled)
	s.expect(would.stopped() > 0, "wonted would have stopped some of it", "%s", would)
	return t.close(ctx, s)
}

// enforcing is the crime stopped three ways, while everybody else goes on.
func (t *telling) enforcing(ctx context.Context) error {
	s := &scene{Name: "enforce", Title: "Rewind. With wonted, enforcing"}
	t.scene(3, s.Title, "mode: enforce")
	if err := t.stage.rewind(ctx, policy.Enforce); err != nil {
		return err
	}
	crowdDone := make(chan struct{})
	go func() {
		t.others.play(ctx, t.stage.guarded.URL(), awakeVisits(t.past.visitors, time.Now()))
		close(crowdDone)
	}()
	send, done := t.sending(ctx, t.stage.guarded.URL())
	defer done()

	t.say("a. from a strange place, with a strange device")
	strange := walk(send, t.owner, asItself, strangeTry)
	t.saw(didTry, strange.String(), green)
	strangeWhy := t.why(ctx, strange)
	t.explain(strangeWhy)

	t.say("b. from the owner's own network, with the owner's user agent")
	walked := walk(send, t.owner, asOwner(t.owner), walkLength)
	t.saw(didWalk, walked.String(), green)
	walkedWhy := t.why(ctx, walked)
	t.explain(walkedWhy)

	t.say("c. the dump")
	pulled := pull(send, t.owner, asOwner(t.owner))
	t.saw(didPull, pulled.String(), green)
	pulledWhy := t.why(ctx, pulled)
	t.explain(pulledWhy)

	t.board.StoppedAt, t.board.Usual = pulled.Most, t.owner.Page
	t.board.LostWith = strange.Records + walked.Records + pulled.Records
	t.say("%s", t.paint(green, number(t.board.LostWith)+" records lost."))
	<-crowdDone
	h := t.others.harm()
	t.say("Meanwhile %d customers sent %s requests, a marketing wave (shops × %d) and the nightly batch among them: %d disturbed.",
		h.Customers, number(h.Requests), waveTimes, h.Disturbed)

	s.Observed = map[string]any{
		"strange_place": told{asItself, strange, strangeWhy},
		"walk":          told{asOwner(t.owner), walked, walkedWhy},
		"pull":          told{asOwner(t.owner), pulled, pulledWhy},
		"records_lost":  t.board.LostWith,
		"others":        h,
	}
	expectChallenged(s, strange)
	expectThrottled(s, walked)
	expectCut(s, pulled)
	expectUndisturbed(s, h)
	expectExplained(s, "challenge", strangeWhy)
	expectExplained(s, "throttle", walkedWhy)
	expectExplained(s, "cut", pulledWhy)
	return t.close(ctx, s)
}

// told is a deed with wonted's explanation, as JSON shows it.
type told struct {
	As          disguise       `json:"as"`
	Saw         deed           `json:"saw"`
	Explanation *policy.Report `json:"explanation"`
}

// why finds wonted's report of how a deed was first stopped: by its decision
// id, or, where the response had begun and no id could be said, the first
// report of a response of that size.
func (t *telling) why(ctx context.Context, d deed) *policy.Report {
	if d.First == nil {
		return nil
	}
	var found *policy.Report
	t.stage.wonted.awaitReports(ctx, func(reports []*policy.Report) bool {
		for _, r := range reports {
			cut := d.First.Broken && strings.HasSuffix(r.Route, " /v1/orders") && r.Status == d.First.Status
			if r.ID == d.First.Decision || cut {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

func first(reports []*policy.Report) *policy.Report {
	if len(reports) == 0 {
		return nil
	}
	return reports[0]
}
