package scoring

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// risky is a look at a record that has nothing but its risk.
func risky() (*profile.Record, func(at uint32, score float64) float64) {
	rec := &profile.Record{}
	last := uint32(0)
	return rec, func(at uint32, score float64) float64 {
		l := &look{rec: rec, now: at}
		if at/tenMinutes != last/tenMinutes {
			l.closeRisk(last)
		}
		last = at
		l.incur(score)
		return l.risk()
	}
}

// The sum that the comment promises, whatever the order of requests in a window.
func TestRiskIsTheFadingSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, at := risky()
		now, want, most := uint32(1_700_000_000), 0.0, 0.0
		for range rapid.IntRange(1, 300).Draw(t, "exchanges") {
			gap := uint32(rapid.SampledFrom([]int{0, 1, 30, 600, 7200, 86400}).Draw(t, "gap"))
			if (now+gap)/tenMinutes != now/tenMinutes {
				want, most = (want+most)*math.Exp2(-float64(gap)/riskHalfLife), 0
				// Within a window no time passes: its last request stands for all.
			}
			now += gap
			score := rapid.Float64Range(-1, 15).Draw(t, "score")
			most = max(most, min(score, 12)-riskFrom, 0)
			got := at(now, score)
			if math.Abs(got-want-most) > 0.003*(want+most)+1e-4 {
				t.Fatalf("risk %v, want %v", got, want+most)
			}
		}
	})
}

// A window counts once, however many requests it has; a day takes half.
func TestRiskOfOneBadHour(t *testing.T) {
	_, at := risky()
	now := uint32(1_700_000_400)
	for i := range uint32(500) {
		at(now+i, 6)
	}
	if got := at(now+500, 0); math.Abs(got-4) > 0.01 {
		t.Errorf("after one window of 6: %v, want 4", got)
	}
	at(now+3600, 6)
	if got := at(now+3601, 0); math.Abs(got-7.9) > 0.05 {
		t.Errorf("after two: %v", got)
	}
	if got := at(now+3600+riskHalfLife, 0); math.Abs(got-3.95) > 0.05 {
		t.Errorf("a day later: %v", got)
	}
	// It fades as much for who comes in every window.
	_, at = risky()
	at(now, 6)
	for i := uint32(1); i <= 144; i++ {
		at(now+i*tenMinutes, 1)
	}
	if got := at(now+144*tenMinutes, 0); math.Abs(got-2) > 0.02 {
		t.Errorf("a busy day later: %v, want 2", got)
	}
}

func TestRiskOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec, at := risky()
		rec.Risk.Past = window.Minifloat(rapid.Uint16().Draw(t, "past"))
		rec.Risk.Now = window.Minifloat(rapid.Uint16().Draw(t, "now"))
		got := at(rapid.Uint32().Draw(t, "at"), rapid.Float64().Draw(t, "score"))
		if math.IsNaN(got) || math.IsInf(got, 0) || got < 0 {
			t.Fatal(got)
		}
	})
}

// Who forges somebody's name brings no risk to them: only what the upstream
// accepted counts, and what we refused of who is verified.
func TestRiskIsNotForged(t *testing.T) {
	f := func(want bool, end End, status int, verified bool) {
		t.Helper()
		w := newWorld(t)
		c := call{caller: "acme", path: "/v1/orders", status: status, end: end}
		ex := w.begin(c)
		ex.Assessment.Score = 6
		ex.Entities[profile.KindCaller].Verified = verified
		w.finish(ex, c)
		ex = w.begin(c)
		if got := ex.Assessment.Risk; (got > 0) != want {
			t.Errorf("%v with %d, verified %v: risk %v", end, status, verified, got)
		}
	}
	f(true, Answered, 200, false)
	f(true, Answered, 500, false)
	f(true, Truncated, 200, false)
	f(false, Answered, 401, false)
	f(false, Answered, 403, true)
	f(false, Refused, 403, false)
	f(true, Refused, 403, true)
}
