package envoy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// Who balances load in front of an Envoy that fails closed is told when there is
// nothing but errors to be had from it.
func TestEnvoyTellsWhetherWontedIsReady(t *testing.T) {
	s := set(t, envoytest.Settings{Fail: "closed", Policy: permissive}, func(o *envoy.Options) { o.Readiness = "/ready" })
	c := http1(t)
	becomes := func(status int) {
		t.Helper()
		envoytest.Eventually(t, fmt.Sprintf("/ready answers %d", status), func() error {
			got, err := c.do(http.MethodGet, s.envoy.URL()+"/ready")
			if err != nil {
				return err
			}
			if got.StatusCode != status {
				return fmt.Errorf("it answers %d", got.StatusCode)
			}
			return nil
		})
	}
	becomes(http.StatusOK)
	s.wants(s.get(c, "/", mark()), http.StatusOK)
	s.wonted.Kill()
	becomes(http.StatusServiceUnavailable)
	s.wants(s.get(c, "/", mark()), http.StatusInternalServerError)
	s.wonted.Start(t)
	becomes(http.StatusOK)
	s.wants(s.get(c, "/", mark()), http.StatusOK)
}
