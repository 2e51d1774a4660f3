package envoytest

import (
	"testing"

	"github.com/wonted-project/wonted/envoy"
)

// Find returns the Envoy to test with, and fails the test where there is
// none: what these tests prove must not go unproved quietly.
func Find(t testing.TB) string {
	t.Helper()
	bin, err := envoy.Find()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// StartEnvoy runs Envoy with opts on free loopback ports until the test ends,
// and prints the end of its log if the test failed.
func StartEnvoy(t testing.TB, opts envoy.Options) *envoy.Process {
	t.Helper()
	opts.Listen, opts.Admin = "127.0.0.1:0", "127.0.0.1:0"
	if opts.Concurrency == 0 {
		opts.Concurrency = 1
	}
	p, err := envoy.Start(t.Context(), Find(t), opts, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("envoy's log ends:\n%s", p.LogTail(20))
		}
	})
	return p
}
