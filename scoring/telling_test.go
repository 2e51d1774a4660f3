package scoring

import (
	"fmt"
	"testing"
	"time"
)

// Of what is certain that comes first which tells what goes on.
func TestWhatIsToldFirst(t *testing.T) {
	f := func(what string, want Detector, all ...Evidence) {
		t.Helper()
		var found findings
		found.reset()
		for _, e := range all {
			e.raw, e.held = e.Bits, e.Bits
			found.add(e)
		}
		if got := found.rank(); got[0].Detector != want {
			t.Errorf("%s begins with %v", what, got[0].Detector)
		}
	}
	of := func(d Detector, score, observed float64) Evidence {
		return Evidence{Detector: d, Unit: d.String(), Bits: score / log10of2, Observed: observed, Window: 10 * time.Minute}
	}
	f("a scan", Recon, of(Recon, 2.2, 8), of(Sequence, 5, 1), of(Errors, 4, 8))
	f("an odd order with one mistake", Sequence, of(Recon, 1.2, 1), of(Sequence, 5, 1))
	f("a copied session", Replay, of(Takeover, 6, 2), of(Replay, 3, 4), of(Switches, 7, 5))
	f("a stranger's first request", Takeover, of(Takeover, 4, 2), of(Device, 5, 0), of(Switches, 3, 1))
	f("a walk", NewObjects, of(Rate, 3.1, 80), of(NewObjects, 2.9, 76), of(Errors, 4.8, 40))
	f("a walk among large objects", NewObjects, of(Bulk, 4.7, 9e5), of(NewObjects, 2.9, 76), of(Volume, 1.3, 4000))
	f("a burst", Rate, of(Rate, 3.7, 474), of(NewObjects, 3.2, 248))
	f("a burst that meets new ones", Rate, of(Rate, 3.3, 39), of(NewObjects, 4.8, 7))
	f("a dump that reads a few", Volume, of(Volume, 4, 10_000), of(NewObjects, 2.5, 12))
}

// Somebody sits behind a shopper's own requests and guesses, now and then: what is
// odd about the order in which the shopper comes by is told as what it is.
func TestProbesBehindOrdinaryRequests(t *testing.T) {
	w := shop(t)
	told, victims := 0, 20
	for who := range victims {
		name, at := fmt.Sprint("shopper ", who), ""
		for i := range 12 {
			at = shopper[at][0]
			c := call{caller: name, device: name, network: name, path: "/v1/" + at, bytes: 900, records: -1}
			if i%3 == 2 {
				c.path, c.status = "/v1/guess"+word(12*who+i), 404
			}
			w.now = w.now.Add(20 * time.Second)
			ex := w.do(c)
			if e := find(ex, Sequence); e == nil || e.Score < certain {
				continue
			}
			told++
			if first := ex.Assessment.Evidence[0]; first.Detector != Recon || first.Unit != "steps" {
				t.Errorf("%s, at %d: %s", name, i, first.Summary())
			}
		}
	}
	if told < victims {
		t.Errorf("of %d victims %d requests were in an odd order", victims, told)
	}
}
