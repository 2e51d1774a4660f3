package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The process itself, the policy and the configuration change in turns, with
// snapshots beside, and not one request fails. Package envoy's tests change one
// of them at a time in the program that ships; here it is this test binary, so
// that under -race the detector sees all of it under traffic.
func TestChangesUnderLoad(t *testing.T) {
	dir, data, admin := shortDir(t), t.TempDir(), freePort(t)
	file, policy, socket := filepath.Join(dir, "wonted.yaml"), filepath.Join(dir, "policy"), "unix://"+filepath.Join(dir, "a.sock")
	replace := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file+".next", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".next", file); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(policy, 0o700); err != nil {
		t.Fatal(err)
	}
	// Every version of the policy marks requests and refuses none.
	rules := func(version int) {
		replace(filepath.Join(policy, "policy.rego"),
			fmt.Sprintf("package wonted.policy\n\nrequest_headers contains {\"name\": \"x-version\", \"value\": \"%d\"}\n", version))
	}
	// It fails closed: every moment without an answer is a failed request. A
	// busy machine is none, here and in Envoy's timeout.
	settings := func(alerts int) {
		replace(file, fmt.Sprintf("mode: enforce\nfail: closed\ndecision_deadline: 10s\nadmin: %s\nlisten: %s\ndata_dir: %s\nsnapshot_every: 1s\n"+
			"policy: {path: %s}\nbudget: {max_alerts_per_day: %d}\n", admin, socket, data, policy, alerts))
	}
	rules(0)
	settings(50)
	args := []string{"serve", "--takeover", "--config", file}
	running := spawn(t, args...)
	running.says(t, `"message":"ready"`)
	proxy := envoytest.StartEnvoy(t, envoy.Options{Upstream: envoytest.StartUpstream(t).Address(), Wonted: socket, MessageTimeout: 15 * time.Second})

	traffic := envoytest.StartTraffic(proxy.URL(), 500)
	for i := range 2 {
		traffic.GoesOn(t, 100)
		next := spawn(t, args...)
		next.says(t, `"message":"ready"`)
		if err := running.ends(t); err != nil {
			t.Errorf("the old one ended with %v", err)
		}
		running = next

		traffic.GoesOn(t, 100)
		rules(i + 1)
		running.says(t, "a changed policy is in force")

		traffic.GoesOn(t, 100)
		settings(60 + i)
		running.Process.Signal(syscall.SIGHUP)
		running.says(t, "configuration reloaded")
	}
	traffic.GoesOn(t, 100)
	traffic.End(t, "2 take-overs, 2 changes of policy and 2 of the configuration")

	saved := 0
	for _, e := range must(os.ReadDir(data)) {
		if strings.HasPrefix(e.Name(), "snapshot-") {
			saved++
		}
	}
	if saved == 0 {
		t.Error("no snapshot was made")
	}
}
