package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sampleBoard = board{
	LostWithout: 30040, LostWith: 162, StoppedAt: 50, Usual: 10,
	Others: harm{Disturbed: 1, Customers: 25, Requests: 1612, Who: []string{"Fable Books (/orders: status 429)"}},
	Added:  latency{Requests: 1000, BareP50: 0.25, BareP99: 1.5, WithP50: 0.5, WithP99: 2, AddedP50: 0.25, AddedP99: 0.5},
	Crash:  crashed{Before: 212, After: 1200, Answered: 1412},
	Replay: replayLine,
}

func TestBoardIsDrawn(t *testing.T) {
	var out bytes.Buffer
	sampleBoard.print(&teller{w: &out})
	rule := "   " + strings.Repeat("─", width-3)
	want := "\n" + rule + `
   records lost           30,040 → 162
   a dump of 10,000       stopped at 50, where the owner reads 10
   customers disturbed    1 of 25, in 1,612 requests
   latency added          +0.25 ms at p50 (0.25 → 0.50), +0.50 ms at p99 (1.50 → 2.00)
   wonted dead            1,412 of 1,412 requests answered, 1,200 of them with wonted dead
` + rule + `
   on your own traffic    wonted replay access.log
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestColourOnlyWhereWanted(t *testing.T) {
	var plain, colour bytes.Buffer
	sampleBoard.print(&teller{w: &plain})
	sampleBoard.print(&teller{w: &colour, colour: true})
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("escape sequences in plain text")
	}
	if !strings.Contains(colour.String(), "\x1b[1m30,040 → 162\x1b[0m") {
		t.Errorf("no colour in %q", colour.String())
	}
}

// The JSON of a scene is a contract.
func TestSceneJSON(t *testing.T) {
	s := &scene{Name: "scoreboard", Title: "Scoreboard", Observed: sampleBoard}
	s.expect(true, "this", "%d", 1)
	var out bytes.Buffer
	if err := s.finish(&out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines, want one object a line", n)
	}
	var got, want any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	const contract = `{"scene":"scoreboard","title":"Scoreboard","as_told":true,
		"observed":{
			"records_lost_without":30040,"records_lost_with":162,"dump_stopped_at":50,"owner_reads":10,
			"others":{"disturbed":1,"customers":25,"requests":1612,"who":["Fable Books (/orders: status 429)"]},
			"added_latency":{"requests":1000,"bare_p50_ms":0.25,"bare_p99_ms":1.5,"with_p50_ms":0.5,"with_p99_ms":2,"added_p50_ms":0.25,"added_p99_ms":0.5},
			"crash":{"before":212,"after":1200,"answered":1412,"failed":0},
			"replay":"wonted replay access.log"},
		"expectations":[{"want":"this","held":true,"observed":"1"}]}`
	if err := json.Unmarshal([]byte(contract), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What did not happen as told is an error that says what was expected and what
// was observed; what did is none.
func TestUntoldIsAnError(t *testing.T) {
	good, bad := &scene{Name: "good"}, &scene{Name: "bad"}
	good.expect(true, "sun", "sun")
	bad.expect(true, "sun", "sun")
	bad.expect(false, "nobody was disturbed", "%d of %d", 2, 25)
	if err := tale([]*scene{good}); err != nil {
		t.Errorf("a story as told: %v", err)
	}
	err := tale([]*scene{good, bad})
	if _, ok := errors.AsType[*untold](err); !ok {
		t.Fatalf("got %v", err)
	}
	const want = "the demo did not happen as told\n  scene \"bad\": expected nobody was disturbed; observed: 2 of 25"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if err := bad.finish(nil); err != nil || bad.Told {
		t.Errorf("as told: %v, error %v", bad.Told, err)
	}
}

func TestQuantile(t *testing.T) {
	var d []time.Duration
	for i := range 100 {
		d = append(d, time.Duration(i+1))
	}
	f := func(q float64, want time.Duration) {
		t.Helper()
		if got := quantile(d, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	f(0, 1)
	f(0.5, 50)
	f(0.99, 99)
	f(1, 100)
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}

func TestNumber(t *testing.T) {
	f := func(n int, want string) {
		t.Helper()
		if got := number(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	f(0, "0")
	f(999, "999")
	f(1000, "1,000")
	f(30040, "30,040")
	f(-1234567, "-1,234,567")
}
