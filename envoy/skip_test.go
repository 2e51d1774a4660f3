package envoy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// wonted is neither asked nor told about paths that are left out, and those that
// only look like them are not left out.
func TestPathsAreLeftOut(t *testing.T) {
	s := set(t, envoytest.Settings{Policy: rego(`deny contains "all" if input.request.method == "GET"`)}, func(o *envoy.Options) {
		o.Skip = []string{"/healthz", "/static/*"}
	})
	c := http1(t)
	for _, path := range []string{"/healthz", "/healthz?x=1", "/static", "/static/a/b", "/x/../static/a"} {
		s.wants(s.get(c, path, mark()), http.StatusOK)
	}
	denied := []string{"/", "/healthz/", "/healthzz", "/statics", "/a?/static/", "/%68ealthz/.."}
	for _, path := range denied {
		s.wants(s.get(c, path, mark()), http.StatusForbidden)
	}
	s.ended(refused, len(denied))
	envoytest.Eventually(t, "the log has told of all others", func() error {
		if n := s.metric("wonted_access_log_entries_total"); n < float64(len(denied)) {
			return fmt.Errorf("of %v", n)
		}
		return nil
	})
	if n := s.metric("wonted_unprotected_exchanges_total"); n != 0 {
		t.Errorf("%v requests count as unprotected", n)
	}
}
