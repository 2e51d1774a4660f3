package scoring

import (
	"fmt"
	"testing"
	"time"
)

// repeat has a shopper ask for one route n times, and says how odd that was at most
// and at which request it was anomalous first; 0: at none.
func (w *world) repeat(name, path string, n int, status func(i int) int) (most float64, at int) {
	for i := range n {
		w.now = w.now.Add(15 * time.Second)
		ex := w.do(call{caller: name, device: name, network: name, path: path, status: status(i), bytes: 900, records: -1})
		if e := find(ex, Sequence); e != nil {
			most = max(most, e.Score)
		}
		if ex.Assessment.Anomalous && at == 0 {
			at = i + 1
			if d := ex.Assessment.Evidence[0].Detector; d != Sequence {
				w.t.Errorf("%s: anomalous for %v", name, d)
			}
		}
	}
	return most, at
}

func always(status int) func(int) int { return func(int) int { return status } }

// Card after card is tried at the checkout, three in four in vain.
func TestCheckoutAfterCheckout(t *testing.T) {
	w := shop(t)
	found, victims := 0, 20
	for who := range victims {
		if _, at := w.repeat(fmt.Sprint("shopper ", who), "/v1/checkout", 20, func(i int) int { return []int{402, 402, 200, 402}[i%4] }); at > 0 {
			found++
			if at < 4 {
				t.Errorf("anomalous at %d already", at)
			}
		}
	}
	t.Logf("%d of %d found", found, victims)
	if found < victims*3/4 {
		t.Errorf("%d of %d who try card after card were found", found, victims)
	}
}

// A form that is sent twice, a retry after an outage's answer, however often, and a
// page that everybody asks for again say nothing.
func TestRepetitionsThatAreQuiet(t *testing.T) {
	f := func(what string, w *world, path string, n, status int, least float64) {
		t.Helper()
		w.shopping("shopper 7", 6, "", nil)
		if most, at := w.repeat("shopper 7", path, n, always(status)); most > least || at > 0 {
			t.Errorf("%s scores %.1f, anomalous at %d", what, most, at)
		}
	}
	f("a form that is sent twice", shop(t), "/v1/checkout", 2, 422, 3)
	f("an outage", shop(t), "/v1/checkout", 30, 503, 2)

	w := shop(t)
	for day := range 4 { // everybody reloads their orders since Monday
		for who := range 20 {
			w.now = monday.Add(time.Duration(24*(11+day)+10)*time.Hour + time.Duration(who)*20*time.Minute)
			w.shopping(fmt.Sprint("shopper ", who), 5, "", nil)
			w.repeat(fmt.Sprint("shopper ", who), "/v1/orders", 3, always(200))
		}
	}
	w.now = w.now.Add(time.Hour)
	f("a page that is asked for again", w, "/v1/orders", 20, 200, 3)
}

// What one does habitually becomes one's own, though nobody else does it.
func TestRepetitionIsLearned(t *testing.T) {
	w := shop(t)
	w.shopping("shopper 8", 5, "", nil)
	first, _ := w.repeat("shopper 8", "/v1/checkout", 3, always(200))
	for range 10 {
		w.now = w.now.Add(3 * time.Hour)
		w.shopping("shopper 8", 5, "", nil)
		w.repeat("shopper 8", "/v1/checkout", 3, always(200))
	}
	w.now = w.now.Add(3 * time.Hour)
	w.shopping("shopper 8", 5, "", nil)
	later, at := w.repeat("shopper 8", "/v1/checkout", 3, always(200))
	if later >= first || at > 0 {
		t.Errorf("scored %.1f at first, and %.1f when it was usual", first, later)
	}
}
