package scoring

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/history.golden; then read what has changed")

// history plays a fixed week of three customers, in which most things happen
// that a detector looks at, and then what thieves do. note is called with the
// assessment of each exchange at its request and at its end.
func history(t *testing.T, note func(what string, a *Assessment)) {
	w := newWorld(t)
	w.country = "de"
	callers := []*customer{{name: "acme"}, {name: "brix"}, {name: "cobb"}}
	play := func(what string, c call) {
		ex := w.begin(c)
		note(what+" begins", &ex.Assessment)
		w.finish(ex, c)
		note(what+" ends", &ex.Assessment)
	}
	work := func(days int) {
		for range days {
			morning := w.now
			for h := 8; h < 18; h++ {
				for i, c := range callers {
					w.now = morning.Add(time.Duration(h)*time.Hour + time.Duration(w.rng.IntN(1200))*time.Second)
					for range 4 + w.rng.IntN(12) {
						w.now = w.now.Add(time.Duration(1+w.rng.IntN(40)) * time.Second)
						k := c.base()
						k.bytes, k.records = 1900+int64(w.rng.IntN(500)), 10
						switch w.rng.IntN(12) {
						case 0, 1, 2, 3:
							c.order++
							k.path, k.records, k.bytes = fmt.Sprintf("/v1/orders/%d", 1000*i+c.order), 1, 200
						case 4:
							k.method, k.path, k.records = "POST", "/v2/orders", -1
						case 5:
							k.path, k.status = "/v1/lost/7", 404
						case 6:
							k.session, k.device = fmt.Sprint("session ", h), c.name+" phone"
							k.path = "/v1/orders"
						case 7:
							k.companion, k.path = "gateway", "/v1/orders"
						default:
							k.path = "/v1/orders"
						}
						play(c.name, k)
					}
				}
			}
			w.now = morning.Add(24 * time.Hour)
		}
	}
	work(9)
	w.now = w.now.Add(10 * time.Hour)
	base := callers[0].base()
	base.path = "/v1/orders"
	dump := base
	dump.records, dump.bytes = 10_000, 1_900_000
	play("dump", dump)
	for i := range 60 {
		w.now = w.now.Add(2 * time.Second)
		walk := base
		walk.path, walk.records, walk.bytes = fmt.Sprintf("/v1/orders/%d", 70_000+i), 1, 200
		play("walk", walk)
	}
	w.now = w.now.Add(13 * time.Hour)
	theft := base
	theft.network, theft.device, theft.country, theft.method = "far", "curl", "kp", "DELETE"
	play("theft", theft)
	for i := range 80 {
		w.now = w.now.Add(time.Second)
		probe := callers[1].base()
		probe.path, probe.status, probe.companion = fmt.Sprint("/v3/guess/", i), 400+i%5, fmt.Sprint("other ", i)
		play("probe", probe)
	}
	for range 400 {
		w.now = w.now.Add(300 * time.Millisecond)
		play("burst", callers[2].base())
	}
	w.now = w.now.Add(30 * 24 * time.Hour).Truncate(24 * time.Hour)
	work(2)
}

// What the scorer says of a fixed history is what it said before: a change that
// is to cost nothing but time changes no score. One that means to, rewrites the
// file, and its author reads the difference.
func TestScoresOfAFixedHistory(t *testing.T) {
	var got []string
	n := 0
	history(t, func(what string, a *Assessment) {
		n++
		if n%40 > 1 && a.Score < 1.5 {
			return
		}
		bits := 0.0
		top := "-"
		for i := range a.Evidence {
			bits += a.Evidence[i].Bits
		}
		if len(a.Evidence) > 0 {
			e := &a.Evidence[0]
			top = fmt.Sprintf("%v/%v", e.Detector, e.Entity)
		}
		got = append(got, fmt.Sprintf("%d %s: %s %.9g %.9g %d %.9g %.9g %.9g %t", n, what, top, a.Score, bits, len(a.Evidence),
			float64(a.Usual.Bytes), float64(a.Usual.Records), float64(a.Range), a.Plain))
	})
	path := filepath.Join("testdata", "history.golden")
	if *rewrite {
		if err := os.WriteFile(path, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(want) < 500 || len(got) != len(want) {
		t.Fatalf("%d assessments, want the %d of %s", len(got), len(want), path)
	}
	different := 0
	for i := range want {
		if !alike(got[i], want[i]) {
			if different++; different <= 10 {
				t.Errorf("now  %s\nonce %s", got[i], want[i])
			}
		}
	}
	if different > 0 {
		t.Errorf("%d of %d differ", different, len(want))
	}
}

// alike allows numbers to differ by what a processor that fuses multiplications
// and additions rounds otherwise, and whole bounds by one.
func alike(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		var v, w float64
		if x[i] == y[i] {
			continue
		}
		if _, err := fmt.Sscan(x[i], &v); err != nil {
			return false
		}
		if _, err := fmt.Sscan(y[i], &w); err != nil {
			return false
		}
		if whole := v == math.Trunc(v) && w == math.Trunc(w); math.Abs(v-w) > 1e-6*math.Abs(w) && !(whole && math.Abs(v-w) <= 1) {
			return false
		}
	}
	return true
}
