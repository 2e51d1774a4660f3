//go:build soak

package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// TestSoak leaves a real wonted behind a real Envoy alone with mixed traffic for
// SOAK (30m), at SOAK_RATE (200) requests a second and depth DEPTH (adaptive),
// with everything running that runs beside traffic: the access log, snapshots, a
// recording that rotates, reloads, scrapes. Heap, goroutines and descriptors
// must be flat, in wonted and, as far as it has them, in Envoy; plain requests
// must not be disturbed, and every request is judged and recorded once.
//
//	make soak SOAK=60s DEPTH=lean
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv("SOAK"), "30m"))
	if err != nil || length < 10*time.Second {
		t.Fatalf("SOAK=%s: a duration of 10s or more", os.Getenv("SOAK"))
	}
	rate := 200
	if s := os.Getenv("SOAK_RATE"); s != "" {
		if _, err := fmt.Sscan(s, &rate); err != nil || rate < 1 || rate > 10_000 {
			t.Fatalf("SOAK_RATE=%s: requests a second, 1 to 10000", s)
		}
	}
	t.Setenv("GOGC", "25") // so that the collector's goal is close to what is alive
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	w := envoytest.StartWonted(t, envoytest.Settings{Depth: cmp.Or(os.Getenv("DEPTH"), "adaptive"), Policy: soakPolicy, More: "profile: {memory: 16MiB}\n" +
		"data_dir: " + filepath.Join(dir, "data") + "\nsnapshot_every: 5s\n" +
		"record: {path: " + filepath.Join(dir, "r.jsonl") + ", max_bytes: 1MiB, keep: 2}\n"})
	e := envoytest.StartEnvoy(t, envoy.Options{
		Wonted: w.Listen, Depth: envoy.Depth(w.Depth), Upstream: soakUpstream(t), MessageTimeout: 10 * time.Second,
	})

	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	before := take(t, w, e)
	traffic := &soakTraffic{url: e.URL(), tokens: make(chan struct{})}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { traffic.client(ctx) })
	}
	all.Go(func() { traffic.pace(ctx, rate) })
	samples := watchSoak(ctx, t, w, e, length)
	all.Wait()

	judgeSoak(t, samples)
	envoytest.Eventually(t, "no exchange is open", func() error {
		if n := w.Metric(t, "wonted_open_exchanges"); n != 0 {
			return fmt.Errorf("%v are", n)
		}
		return nil
	})
	if after := take(t, w, e); after.goroutines > before.goroutines+20 {
		t.Errorf("%v goroutines are left when all is quiet, of %v before", after.goroutines, before.goroutines)
	}
	if n := traffic.disturbed.Load(); n > 0 {
		t.Errorf("%d plain requests were disturbed, the first: %v", n, traffic.first.Load())
	}
	sent, m := float64(traffic.sent.Load()), w.Metrics(t)
	judged, recorded, dropped := m.Sum(t, "wonted_exchanges_total"), m.Sum(t, "wonted_record_exchanges_total"), m.Sum(t, "wonted_record_dropped_total")
	t.Logf("depth %s: %.0f requests in %v: %.0f judged, %.0f refused, %.0f cut, %.0f recorded, %.0f not recorded", w.Depth, sent, length, judged,
		m.Sum(t, "wonted_exchange_ends_total", `end="refused"`), m.Sum(t, "wonted_exchange_ends_total", `end="truncated"`), recorded, dropped)
	if judged != sent || recorded+dropped != sent {
		t.Errorf("%v requests sent, %v judged, %v recorded and %v not", sent, judged, recorded, dropped)
	}
	if sent < length.Seconds() {
		t.Errorf("only %v requests: this is no soak", sent)
	}
}

// soakSample is what must not grow.
type soakSample struct {
	at                                         time.Duration
	heap, goroutines, files, envoyFiles        float64
	resident, envoyResident, profiles, written float64
}

func take(t *testing.T, w *envoytest.Wonted, e *envoy.Process) (s soakSample) {
	t.Helper()
	s.heap = w.Metric(t, "go_memstats_next_gc_bytes")
	s.goroutines = w.Metric(t, "go_goroutines")
	s.resident = w.Metric(t, "process_resident_memory_bytes")
	s.profiles = w.Metric(t, "wonted_profiles")
	s.written = w.Metric(t, "wonted_record_exchanges_total")
	s.files, s.envoyFiles = descriptors(t, w.PID()), descriptors(t, e.PID())
	memory, err := Resident(e.PID())
	if err != nil {
		t.Fatal(err)
	}
	s.envoyResident = float64(memory)
	return s
}

func descriptors(t *testing.T, pid int) float64 {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return float64(len(all))
}

// watchSoak takes 120 samples, and has wonted reload between them.
func watchSoak(ctx context.Context, t *testing.T, w *envoytest.Wonted, e *envoy.Process, length time.Duration) (all []soakSample) {
	start := time.Now()
	tick := time.NewTicker(length / 120)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return all
		case <-tick.C:
		}
		if n%20 == 10 {
			if err := syscall.Kill(w.PID(), syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
		s := take(t, w, e)
		s.at = time.Since(start)
		all = append(all, s)
		if n%12 == 0 {
			t.Logf("%8v  heap goal %5.1f MB  %4.0f goroutines  %3.0f files (Envoy %3.0f)  resident %5.1f MB (Envoy %5.1f)  %6.0f profiles  %7.0f recorded",
				s.at.Round(time.Second), s.heap/1e6, s.goroutines, s.files, s.envoyFiles, s.resident/1e6, s.envoyResident/1e6, s.profiles, s.written)
		}
	}
}

// judgeSoak compares the last sixth with the one before the middle: the first
// third is for everything to come to its working size.
func judgeSoak(t *testing.T, all []soakSample) {
	t.Helper()
	if len(all) < 60 {
		t.Fatalf("%d samples: too few to judge", len(all))
	}
	middle, last := all[len(all)/3:len(all)/2], all[len(all)*5/6:]
	f := func(what string, of func(soakSample) float64, factor, more float64) {
		t.Helper()
		a, b := medianOf(middle, of), medianOf(last, of)
		t.Logf("%-20s %12.0f before the middle, %12.0f at the end", what, a, b)
		if b > a*factor+more {
			t.Errorf("%s has grown from %.0f to %.0f", what, a, b)
		}
	}
	f("heap goal", func(s soakSample) float64 { return s.heap }, 1.1, 2<<20)
	f("goroutines", func(s soakSample) float64 { return s.goroutines }, 1, 20)
	f("files", func(s soakSample) float64 { return s.files }, 1, 10)
	f("Envoy's files", func(s soakSample) float64 { return s.envoyFiles }, 1, 40) // its clients come and go
	f("Envoy's memory", func(s soakSample) float64 { return s.envoyResident }, 1.25, 16<<20)
}

func medianOf(samples []soakSample, of func(soakSample) float64) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
