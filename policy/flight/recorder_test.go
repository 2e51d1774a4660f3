package flight

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

var start = time.Date(2026, 3, 2, 14, 0, 0, 250e6, time.UTC)

// flow ends exchanges as a Gate does, one a second.
type flow struct {
	*Recorder
	gate *policy.Gate
	now  time.Time
	n    uint32
}

func newFlow() *flow {
	f := &flow{Recorder: New(), now: start}
	f.gate = policy.NewGate(policy.Config{Scorer: f, Decider: f, Recorder: f, Log: zerolog.Nop()})
	return f
}

// The flow is scorer and policy of its Gate: a route that is odd is anomalous.
func (f *flow) Begin(ex *scoring.Exchange) {
	ex.Assessment.Threshold = 4
	if ex.Route.ID >= 1000 {
		ex.Assessment.Score, ex.Assessment.Anomalous = 5, true
	} else if ex.Route.ID >= 100 {
		ex.Assessment.Score = 2
	}
}
func (f *flow) Attempt(*scoring.Exchange)                                       {}
func (f *flow) Answer(*scoring.Exchange, time.Time)                             {}
func (f *flow) Meter(*scoring.Exchange, time.Time)                              {}
func (f *flow) Complete(*scoring.Exchange, scoring.End, time.Time)              {}
func (f *flow) Reads(policy.Phase) bool                                         { return false }
func (f *flow) Recall(in *policy.Input) (*policy.Decision, bool)                { return &allow, true }
func (f *flow) Decide(context.Context, *policy.Input) (*policy.Decision, error) { return &allow, nil }

var allow = policy.Decision{Action: policy.Allow}

func caller(n uint64) profile.Key { return profile.Key{Hi: n, Lo: n * 0x9E3779B97F4A7C15} }

func (f *flow) end(c *policy.Case, who profile.Key, route uint32) {
	c.Reset()
	f.n++
	f.now = f.now.Add(time.Second)
	ex := &c.Exchange
	ex.Time, ex.Route.ID, ex.Route.Object = f.now, route, 0xABCD_0000_0000+uint64(f.n)
	ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: who}
	f.gate.Open(c)
	ex.Status, ex.ResponseBytes, ex.Records = 200, int64(f.n)*10, -1
	f.gate.Close(c, scoring.Answered, f.now)
}

func (f *flow) routes(who profile.Key) (ids []uint32) {
	for _, e := range f.Exchanges(who) {
		ids = append(ids, e.Route)
	}
	return ids
}

func TestThirtyTwoBytes(t *testing.T) {
	if n := unsafe.Sizeof(Exchange{}); n != Size {
		t.Errorf("an exchange takes %d bytes", n)
	}
	if n := shards * (unsafe.Sizeof(shard{}) + sets*suspects*unsafe.Sizeof(suspect{})); n > 5<<20+1<<18 {
		t.Errorf("the table takes %d bytes", n)
	}
}

// What a caller did before it was suspicious is remembered with what it does then,
// and others' is not.
func TestFromTheFirstAct(t *testing.T) {
	f, c := newFlow(), &policy.Case{}
	a, b := caller(7), caller(7+shards) // of one shard
	f.end(c, a, 1)
	f.end(c, b, 2)
	f.end(c, a, 3)
	if got := f.Exchanges(a); got != nil {
		t.Errorf("who is not suspicious has %d", len(got))
	}
	f.end(c, a, 104) // half of the threshold
	f.end(c, b, 5)
	f.end(c, a, 6)
	if got := f.routes(a); !slices.Equal(got, []uint32{1, 3, 104, 6}) {
		t.Errorf("routes %v", got)
	}
	f.end(c, b, 1007) // anomalous
	if got := f.routes(b); !slices.Equal(got, []uint32{2, 5, 1007}) {
		t.Errorf("routes of the other %v", got)
	}
	e := f.Exchanges(a)[2]
	if !e.Time().Equal(start.Add(4*time.Second)) || e.Status != 200 || e.Bytes() != 40 || e.Records() != -1 || e.Object != 4 ||
		e.Score() != 2 || e.Action != policy.Allow || e.Mode != policy.Shadow || e.End != scoring.Answered {
		t.Errorf("kept as %+v", e)
	}
	for range 100 {
		f.end(c, a, 9)
	}
	if got := f.routes(a); len(got) != Kept || got[0] != 9 {
		t.Errorf("%d are kept", len(got))
	}
	f.Forget(a)
	f.end(c, a, 1008)
	if got := f.routes(a); !slices.Equal(got, []uint32{1008}) {
		t.Errorf("after it was forgotten: %v", got)
	}
	f.end(c, profile.Key{}, 1009) // nobody
}

// The table is bounded: who was suspicious the longest ago makes room, whatever
// it has done since.
func TestSuspectsAreBounded(t *testing.T) {
	f, c := newFlow(), &policy.Case{}
	who := func(i int) profile.Key { return caller(uint64(3 + i*shards*sets)) }
	for i := range suspects {
		f.end(c, who(i), 1000)
	}
	f.end(c, who(0), 1000) // again
	f.end(c, who(1), 1)    // and this one plainly
	f.end(c, who(suspects), 1000)
	if f.Exchanges(who(1)) != nil || f.Exchanges(who(0)) == nil || f.Exchanges(who(suspects)) == nil {
		t.Error("the wrong one made room")
	}
	f.end(c, who(0), 2)
	if got := f.routes(who(0)); !slices.Equal(got, []uint32{1000, 1000, 2}) {
		t.Errorf("routes %v", got)
	}
}

func TestEncoding(t *testing.T) {
	f, c := newFlow(), &policy.Case{}
	for i := range 70 {
		f.end(c, caller(1), uint32(1000+i))
	}
	all := f.Exchanges(caller(1))
	text := Encode(all)
	if len(text) != Kept*Size {
		t.Fatalf("%d bytes", len(text))
	}
	if d := cmp.Diff(all, Decode(text), cmp.AllowUnexported(Exchange{})); d != "" {
		t.Error(d)
	}
	if got := Decode(text[:3*Size-1]); len(got) != 2 {
		t.Errorf("%d of a text that is torn", len(got))
	}
	c.Exchange.ResponseBytes, c.Exchange.Records = 1<<40, 1<<40
	c.Exchange.Time, c.Exchange.Status = time.Time{}, -1
	if e := taken(c, scoring.Unknown); e.Bytes() != 1<<32-2 || e.Records() != 1<<32-2 || e.Time().Unix() != 0 || e.Status != 0 {
		t.Errorf("beyond what fits: %+v", e)
	}
}

func TestNoAllocs(t *testing.T) {
	f, c := newFlow(), &policy.Case{}
	f.end(c, caller(1), 1) // it is allowed
	for _, score := range []float64{0, 5} {
		c.Exchange.Assessment.Score, c.Exchange.Assessment.Threshold = score, 4
		if n := testing.AllocsPerRun(100, func() { f.Record(c, scoring.Answered) }); n != 0 {
			t.Errorf("%v allocations at score %v", n, score)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, bench := range []struct {
		name  string
		score float64
	}{{"ordinary", 0}, {"suspect", 5}} {
		b.Run(bench.name, func(b *testing.B) {
			f, c := newFlow(), &policy.Case{}
			f.end(c, caller(1), 1) // it is allowed
			c.Exchange.Assessment.Score, c.Exchange.Assessment.Threshold = bench.score, 4
			i := uint64(0)
			for b.Loop() {
				i = (i + 1) % 4096 // callers, by turns
				c.Exchange.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: caller(i)}
				f.Record(c, scoring.Answered)
			}
		})
	}
}

// Callers of one set at once: whatever is kept is whole, and whose it is.
func TestConcurrent(t *testing.T) {
	r := New()
	var all sync.WaitGroup
	for who := range uint64(suspects) {
		all.Go(func() {
			f, c := newFlow(), &policy.Case{}
			f.Recorder = r
			f.gate = policy.NewGate(policy.Config{Scorer: f, Decider: f, Recorder: r, Log: zerolog.Nop()})
			key := profile.Key{Hi: shards * sets * who, Lo: who + 1}
			for i := range uint32(300) {
				f.end(c, key, 1000+uint32(who))
				got := r.Exchanges(key)
				if len(got) != int(min(i+1, Kept)) || got[len(got)-1].Route != 1000+uint32(who) {
					t.Errorf("%d of caller %d after %d", len(got), who, i+1)
					return
				}
			}
		})
	}
	all.Wait()
}
