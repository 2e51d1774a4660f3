package envoy_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// However many requests are under way at once, and however wonted comes to know
// of them, each is judged, recorded, ended and learned from once.
//
// A first request goes ahead alone. With it Envoy opens the stream of its log,
// and until that stands it keeps entries of 12 KiB (logBytes) and drops others.
func TestNothingIsSkippedUnderLoad(t *testing.T) {
	const clients, each = 64, 100
	f := func(depth envoy.Depth) {
		t.Helper()
		s := set(t, envoytest.Settings{Depth: string(depth), Mode: "shadow", More: "decision_deadline: 10s\n" +
			"record: {path: " + filepath.Join(t.TempDir(), "r.jsonl") + "}\n"})
		ended := func(want float64) {
			t.Helper()
			envoytest.Eventually(t, fmt.Sprintf("%s: %v requests have ended", depth, want), func() error {
				if n := s.metric("wonted_exchange_ends_total", `end="answered"`); n != want {
					return fmt.Errorf("%v of %v", n, want)
				}
				return nil
			})
		}
		if got, err := http1(t).do(http.MethodGet, s.envoy.URL()+"/v1/orders?records=20&declare=1", "x-api-key", "first"); err != nil || got.err != nil {
			t.Fatalf("%s: answered %+v (%v)", depth, got, err)
		}
		ended(1)
		var all sync.WaitGroup
		for key := range clients {
			c := http1(t)
			all.Go(func() {
				for range each {
					got, err := c.do(http.MethodGet, s.envoy.URL()+"/v1/orders?records=20&declare=1", "x-api-key", fmt.Sprintf("key-%d", key))
					if err != nil || got.err != nil || got.StatusCode != http.StatusOK || envoytest.Records(got.body) != 20 {
						t.Errorf("%s: answered %+v (%v)", depth, got, err)
						return
					}
				}
			})
		}
		all.Wait()
		const sent = 1 + clients*each
		ended(sent)
		judged, recorded := s.metric("wonted_exchanges_total"), s.metric("wonted_record_exchanges_total")+s.metric("wonted_record_dropped_total")
		if judged != sent || recorded != sent {
			t.Errorf("%s: %d sent, %v judged, %v recorded", depth, sent, judged, recorded)
		}
		for key := range clients {
			if p, _ := s.wonted.Profile(t, fmt.Sprintf("key-%d", key)); p.Requests != each || p.Accepted != each || p.InFlight != 0 {
				t.Errorf("%s: the profile of client %d holds %+v, want %d requests", depth, key, p, each)
			}
		}
		s.idle()
		t.Logf("%s: %d sent, as many judged, recorded and learned from", depth, sent)
	}
	for _, depth := range []envoy.Depth{envoy.DepthLog, envoy.DepthLean, envoy.DepthAdaptive, envoy.DepthHeaders, envoy.DepthBodies} {
		f(depth)
	}
}
