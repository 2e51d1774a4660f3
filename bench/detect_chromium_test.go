package bench_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/wonted-project/wonted/bench"
	"github.com/wonted-project/wonted/bench/detect"
)

// The page of bench detect is laid out as that of bench load: no text is cut off
// or lies on another, in a wide window and in a narrow one.
func TestChromiumLaysOutDetect(t *testing.T) {
	r, err := detect.Run(t.Context(), detect.Config{Seed: 233, Identities: 50, Days: 7, Runs: 10})
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"1280,900", "520,900"} {
		got := bench.Measured(t, page.String(), size)
		for _, fault := range got.Faults {
			t.Errorf("%s: %s", size, fault)
		}
		if got.Charts != 8 || got.Tables != 8 || got.Texts < 50 {
			t.Errorf("%s: %d charts, %d tables, %d texts", size, got.Charts, got.Tables, got.Texts)
		}
	}
	if to := os.Getenv("PAGE"); to != "" { // for eyes
		bench.Browse(t, page.String(), "1280,3600", "--screenshot="+to)
	}
}
