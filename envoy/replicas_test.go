package envoy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// Every caller has one of the wonted to itself, whole: the profiles of the two
// are of different callers, and hold all that each has asked for.
func TestACallerStaysWithOneOfSeveralWonted(t *testing.T) {
	second := envoytest.StartWonted(t, envoytest.Settings{Depth: "headers", Policy: permissive})
	s := set(t, envoytest.Settings{Depth: "headers", Policy: permissive}, func(o *envoy.Options) {
		o.Replicas, o.Affinity = []string{second.Listen}, "x-api-key"
	})
	const callers, each = 20, 3
	for range each {
		for n := range callers {
			s.wants(s.get(http1(t), "/", mark(), "x-api-key", fmt.Sprintf("key-%d", n)), http.StatusOK)
		}
	}
	s.idle()
	here, there := 0, 0
	for n := range callers {
		key := fmt.Sprintf("key-%d", n)
		first, atFirst := s.wonted.Profile(t, key)
		other, atSecond := second.Profile(t, key)
		if atFirst == atSecond || first.Requests+other.Requests != each {
			t.Errorf("%s: %d requests at the first, %d at the second, want %d at one of them", key, first.Requests, other.Requests, each)
		}
		if atFirst {
			here++
		} else {
			there++
		}
	}
	if here == 0 || there == 0 {
		t.Errorf("%d callers at the first, %d at the second: nothing is shared out", here, there)
	}
}
