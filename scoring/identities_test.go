//go:build unix

package scoring

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// identities is a world of settled callers with six entities each: their own
// caller, credential, session and address, a network of 64 and one of a few
// hundred devices. So n of them have some 4n records.
type identities struct {
	store   *profile.Store
	scorer  *Scorer
	now     time.Time
	network int // callers a network
}

func (w *identities) keys(i int) (of [entityKinds]profile.Key) {
	key := func(kind profile.Kind, i int) profile.Key {
		// Anything spread evenly does: keys are hashes.
		h := uint64(i)*uint64(entityKinds) + uint64(kind)
		h = (h ^ h>>31) * 0x9E3779B97F4A7C15
		return profile.Key{Hi: h ^ h>>29, Lo: h * 0xBF58476D1CE4E5B9}
	}
	for _, kind := range []profile.Kind{profile.KindCaller, profile.KindCredential, profile.KindSession, profile.KindAddress} {
		of[kind] = key(kind, i)
	}
	of[profile.KindNetwork] = key(profile.KindNetwork, i/w.network)
	of[profile.KindDevice] = key(profile.KindDevice, i%300)
	return of
}

// newIdentities makes them as a few weeks of use would have.
func newIdentities(b *testing.B, n int) *identities {
	w := &identities{store: profile.New(profile.Config{Memory: max(16<<20, profile.Bytes(n)*6_000)}), now: monday, network: 64}
	b.Cleanup(w.store.Close)
	w.scorer = New(Config{Store: w.store})
	now := seconds(w.now)
	for i := range n {
		keys := w.keys(i)
		for kind, k := range keys {
			if k == (profile.Key{}) {
				continue
			}
			rec, pin, created := w.store.Acquire(k, profile.Kind(kind), now-30*aDay)
			if created {
				rec.Accepted, rec.Sessions, rec.LastSeen = 400, 40, now-uint32(i%aDay)
				base := &rec.Baseline
				base.Requests1m.N, base.Requests1m.Mean = 100, 3
				base.Requests10m.N, base.Requests10m.Mean = 60, 8
				base.Requests1h.N, base.Requests1h.Mean = 40, 20
				if habitual(profile.Kind(kind)) {
					h := rec.Habits()
					h.Devices[0].ID, h.Devices[0].Weight = max(uint32(keys[profile.KindDevice].Lo), 1), 30
					h.Networks[0].ID, h.Networks[0].Weight = max(uint32(keys[profile.KindNetwork].Lo), 1), 30
					h.DeviceNovelty.N, h.NetworkNovelty.N = 30, 30
					h.Methods[0], h.Hours.Scale = 40, 1
					for i := range h.Hours.Cells[0] {
						h.Hours.Cells[0][i] = 3
					}
					base.Bytes10m.N, base.Bytes10m.Mean = 60, 13
					rec.Bytes.Y.N, rec.Bytes.Y.Mean = 300, 0.1
				}
			}
			pin.Release()
		}
	}
	return w
}

// processTime is the processor time that this process has used: what a
// benchmark costs on a machine that others use as well.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// drawing returns the next caller's number.
func drawing(law string, n int) func() int {
	rng := rand.New(rand.NewPCG(7, 11))
	if law == "uniform" {
		return func() int { return rng.IntN(n) }
	}
	z := rand.NewZipf(rng, 1.1, 8, uint64(n-1)) // as the load harness draws
	return func() int { return int(z.Uint64()*2_654_435_761) % n }
}

// Begin and Complete of one exchange with six entities, sixteen exchanges in
// flight at a time, among so many callers.
func BenchmarkIdentities(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newIdentities(b, n)
			for _, law := range []string{"zipf", "uniform"} {
				b.Run(law, func(b *testing.B) {
					draw := drawing(law, n)
					flight := make([]*Exchange, 16)
					for i := range flight {
						flight[i] = &Exchange{}
						call{method: "GET", path: "/v1/orders/17"}.fill(flight[i], w.now)
					}
					turn := 0
					next := func() {
						ex := flight[turn%len(flight)]
						turn++
						if ex.Status != 0 {
							w.scorer.Complete(ex, Answered, w.now)
						}
						for kind, k := range w.keys(draw()) {
							if k != (profile.Key{}) {
								ex.Entities[kind] = Identity{Kind: profile.Kind(kind), Key: k}
							}
						}
						w.now = w.now.Add(30 * time.Second / time.Duration(n)) // each twice a minute
						ex.Time = w.now
						ex.Status, ex.ResponseBytes, ex.Records = 200, 1900, -1
						w.scorer.Begin(ex)
					}
					for range min(n, 20_000) {
						next()
					}
					b.ReportAllocs()
					before := processTime(b)
					for b.Loop() {
						next()
					}
					b.ReportMetric(float64(processTime(b)-before)/float64(b.N), "cpu-ns/op")
				})
			}
		})
	}
}
