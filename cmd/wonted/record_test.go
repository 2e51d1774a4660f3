package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// disk is where a test records to.
type disk struct {
	mu    sync.Mutex
	text  bytes.Buffer
	fails int           // writes that fail from now on
	stall chan struct{} // if there is one, a write waits for it
}

func (d *disk) Write(b []byte) (int, error) {
	if d.stall != nil {
		<-d.stall
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails > 0 {
		d.fails--
		return 0, errors.New("no space left on device")
	}
	return d.text.Write(b)
}

func (d *disk) Close() error { return nil }

// paths tell which requests are in the recording, in order.
func (d *disk) paths(t *testing.T) (paths []string) {
	t.Helper()
	for in := recorded.NewDecoder(strings.NewReader(d.text.String()), recorded.Wonted); ; {
		r, err := in.Next()
		if err == io.EOF {
			return paths
		} else if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, r.Path)
	}
}

// recordTo runs a recorder until the function that it returns is called.
func recordTo(t testing.TB, d io.WriteCloser, log io.Writer) (r *recorder, end func()) {
	t.Helper()
	who, err := identity.New(identity.Default(), identity.Secret{1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	r = newRecorder(d, identity.Secret{1}, naming(config.Default()), func() *identity.Resolver { return who }, zerolog.New(log), prometheus.NewRegistry())
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { r.run(ctx) })
	return r, func() {
		cancel()
		all.Wait()
	}
}

// ended is an exchange that is over.
func ended(n int) *policy.Case {
	c := &policy.Case{}
	ex := &c.Exchange
	ex.Time = time.Unix(1.8e9, 0)
	ex.Method, ex.Path, ex.Status = []byte("GET"), fmt.Appendf(nil, "/v1/orders/%d", n), 200
	ex.RequestBytes, ex.ResponseBytes, ex.Records = -1, -1, -1
	return c
}

func TestRecorderWritesWhatWaits(t *testing.T) {
	d := &disk{}
	r, end := recordTo(t, d, io.Discard)
	const n = 1000
	for i := range n {
		r.Record(ended(i), scoring.Answered)
	}
	end()
	got := d.paths(t)
	if len(got) != n || r.recorded.Load() != n || r.dropped.Load() != 0 || r.waiting.Load() != 0 {
		t.Fatalf("%d lines of %d, %d counted, %d dropped, %d bytes left", len(got), n, r.recorded.Load(), r.dropped.Load(), r.waiting.Load())
	}
	for i, path := range got {
		if path != fmt.Sprintf("/v1/orders/%d", i) {
			t.Fatalf("line %d is %s", i+1, path)
		}
	}
}

// TestRecorderNeverWaits: while the disk stands still, exchanges pass and what
// finds no room is counted; afterwards every one is written or counted.
func TestRecorderNeverWaits(t *testing.T) {
	f := func(what string, c *policy.Case, n int) {
		t.Helper()
		d := &disk{stall: make(chan struct{})}
		r, end := recordTo(t, d, io.Discard)
		for range n { // would stand still here
			r.Record(c, scoring.Answered)
		}
		if r.dropped.Load() == 0 {
			t.Errorf("%s: nothing is dropped of %d", what, n)
		}
		if most := int64(recordBytes + len(c.Exchange.Path) + 2<<10); r.waiting.Load() > most {
			t.Errorf("%s: %d bytes wait", what, r.waiting.Load())
		}
		close(d.stall)
		end()
		if got := uint64(bytes.Count(d.text.Bytes(), []byte("\n"))); got != r.recorded.Load() || got+r.dropped.Load() != uint64(n) || got == 0 {
			t.Errorf("%s: %d in the recording, %d counted, %d dropped, of %d", what, got, r.recorded.Load(), r.dropped.Load(), n)
		}
	}
	f("many", ended(1), recordLines+2000)
	large := ended(1)
	large.Exchange.Path = append([]byte("/"), bytes.Repeat([]byte("x"), 1<<20)...)
	f("large", large, 30)
}

// TestRecorderOutlivesAFullDisk: what cannot be written is counted and told
// once, and recording goes on when there is room.
func TestRecorderOutlivesAFullDisk(t *testing.T) {
	d, log := &disk{fails: 3}, &bytes.Buffer{}
	r, end := recordTo(t, d, log)
	for i := range 10 {
		r.Record(ended(i), scoring.Answered)
		for r.recorded.Load()+r.dropped.Load() != uint64(i+1) { // one write each
			time.Sleep(time.Millisecond)
		}
	}
	end()
	if r.failures.Load() != 3 || r.dropped.Load() != 3 || r.recorded.Load() != 7 || len(d.paths(t)) != 7 {
		t.Errorf("%d failures, %d dropped, %d recorded, %d lines", r.failures.Load(), r.dropped.Load(), r.recorded.Load(), len(d.paths(t)))
	}
	if lines := strings.Count(log.String(), "\n"); lines != 2 ||
		!strings.Contains(log.String(), "no space left on device") || !strings.Contains(log.String(), "recorded again") {
		t.Errorf("the log has %d lines:\n%s", lines, log)
	}
}

func BenchmarkRecord(b *testing.B) {
	d := struct {
		io.Writer
		io.Closer
	}{io.Discard, io.NopCloser(nil)}
	r, end := recordTo(b, d, io.Discard)
	defer end()
	c := ended(1)
	if err := page(beginning, 3, 10).Fill(&c.Exchange); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Record(c, scoring.Answered)
	}
	b.ReportMetric(float64(r.dropped.Load())/float64(b.N), "dropped/op")
}
