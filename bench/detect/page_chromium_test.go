package detect

import (
	"bytes"
	"testing"

	"github.com/wonted-project/wonted/bench/pagetest"
)

// No text of the page is cut off or lies on another, in a wide window and in a
// narrow one.
func TestChromiumLaysItOut(t *testing.T) {
	var page bytes.Buffer
	if err := wholeReport(t).HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"1280,900", "520,900"} {
		got := pagetest.Measure(t, page.String(), size)
		for _, fault := range got.Faults {
			t.Errorf("%s: %s", size, fault)
		}
		if got.Charts != 8 || got.Tables != 9 || got.Texts < 50 {
			t.Errorf("%s: %d charts, %d tables, %d texts", size, got.Charts, got.Tables, got.Texts)
		}
	}
}
