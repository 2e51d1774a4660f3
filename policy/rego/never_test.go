package rego

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// What is said to be never true is not true at any hour of any day, and what is
// not, is at one.
func TestNeverIsNever(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	hour := func() string { return pick("-1", "0", "0.5", "6", "7", "7.0", "22.5", "23", "24", `"7"`, "true") }
	day := func() string { return pick(`"Monday"`, `"Tuesday"`, `"monday"`, `"Someday"`, "1") }
	op := func() string { return pick("==", "!=", "<", "<=", ">", ">=") }
	condition := func() string {
		switch r.IntN(6) {
		case 0:
			return fmt.Sprintf("%s %s input.time.hour", hour(), op())
		case 1:
			return fmt.Sprintf("input.time.hour in {%s, %s}", hour(), hour())
		case 2:
			return fmt.Sprintf("input.time.weekday %s %s", pick("==", "!="), day())
		case 3:
			return fmt.Sprintf("input.time.weekday in [%s, %s]", day(), day())
		}
		return fmt.Sprintf("input.time.hour %s %s", op(), hour())
	}
	never, sometimes := 0, 0
	for range 400 {
		var all []string
		for range 1 + r.IntN(3) {
			all = append(all, condition())
		}
		text := fmt.Sprintf("deny contains \"x\" if {\n%s\n}", strings.Join(all, ";\n"))
		e := must(t, text)
		told, fires := false, false
		for _, w := range e.Warnings() {
			told = told || strings.Contains(w.Message, "never true")
		}
		for h := range 24 * 7 {
			in := at(sample(), policy.PhaseRequest)
			in.Now = in.Now.Add(time.Duration(h) * time.Hour)
			if decide(t, e, in).Action == policy.Deny {
				fires = true
				break
			}
		}
		if told == fires {
			t.Fatalf("%s\nfires: %v, warnings %v", text, fires, e.Warnings())
		}
		if fires {
			sometimes++
		} else {
			never++
		}
	}
	if never < 100 || sometimes < 100 {
		t.Errorf("%d never, %d sometimes: too little was put to the test", never, sometimes)
	}
}
