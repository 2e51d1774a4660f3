package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// changes is a wonted behind a real Envoy that fails closed, so that every
// moment without an answer is a failed request, under requests that come at a
// steady pace whatever becomes of those before.
type changes struct {
	url     string
	config  string // wonted's, to be rewritten
	policy  string // its directory
	args    []string
	admin   string
	good    atomic.Int64
	bad     atomic.Int64
	first   atomic.Pointer[string] // of the bad
	starved atomic.Int64           // 503 of wonted itself
	stop    chan struct{}
	loaders sync.WaitGroup
}

const pace = 500 // requests a second

func (c *changes) load() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: patience}
	queue := make(chan int, pace)
	for range 32 {
		c.loaders.Go(func() {
			for i := range queue {
				if err := c.request(client, i); errors.Is(err, errStarved) {
					c.starved.Add(1)
					continue
				} else if err != nil {
					c.bad.Add(1)
					text := err.Error()
					c.first.CompareAndSwap(nil, &text)
					continue
				}
				c.good.Add(1)
			}
		})
	}
	c.loaders.Go(func() {
		defer close(queue)
		tick := time.NewTicker(time.Second / pace)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
			case <-c.stop:
				return
			}
			select {
			case queue <- i:
			default: // all are under way: a busy machine
			}
		}
	})
}

// errStarved is wonted's answer where it came to no decision within 100 ms,
// which a starved machine may take; the log must confirm that this is why.
var errStarved = errors.New("no decision")

func (c *changes) request(client *http.Client, i int) error {
	r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/v1/orders/%d?records=10", c.url, i%50), nil)
	if err != nil {
		return err
	}
	r.Header.Set("x-api-key", fmt.Sprintf("key-%d", i%7))
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode == 503 && strings.Contains(string(body), "decision_id") {
		return errStarved
	}
	if res.StatusCode != 200 || envoytest.Records(body) != 10 {
		return fmt.Errorf("%d with %d records: %.100s", res.StatusCode, envoytest.Records(body), body)
	}
	return nil
}

// after waits for n more answers.
func (c *changes) after(t *testing.T, n int64) {
	t.Helper()
	for want, deadline := c.good.Load()+n, time.Now().Add(patience); c.good.Load() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || c.bad.Load() > 0 {
			return // the end of the test tells
		}
	}
}

// The configuration, the policy and the process itself change under load, with
// a snapshot a second beside it, and not one request fails.
func TestChangesUnderLoad(t *testing.T) {
	dir := shortDir(t)
	c := &changes{config: filepath.Join(dir, "wonted.yaml"), policy: filepath.Join(dir, "policy"), admin: freePort(t), stop: make(chan struct{})}
	write := func(file, text string) {
		t.Helper()
		next := file + ".next"
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, file); err != nil {
			t.Fatal(err)
		}
	}
	// Every version of the policy marks requests and refuses none.
	rules := func(version int) string {
		return fmt.Sprintf("package wonted.policy\n\nrequest_headers contains {\"name\": \"x-version\", \"value\": \"%d\"}\n", version)
	}
	settings := func(more string) string {
		return fmt.Sprintf("mode: enforce\nfail: closed\ndata_dir: %s\nsnapshot_every: 1s\npolicy: {path: %s}\nadmin: %s\nlisten: unix://%s/a.sock\n%s",
			t.TempDir(), c.policy, c.admin, dir, more)
	}
	if err := os.Mkdir(c.policy, 0o700); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(c.policy, "policy.rego"), rules(0))
	first := settings("")
	write(c.config, first)
	c.args = []string{"serve", "--takeover", "--config", c.config}
	running := spawn(t, c.args...)
	all := []*child{running}
	running.says(t, `"message":"ready"`)
	proxy := envoytest.StartEnvoy(t, envoy.Options{
		Upstream: envoytest.StartUpstream(t).Address(), Wonted: "unix://" + filepath.Join(dir, "a.sock"),
		FailOpen: false, MessageTimeout: 15 * time.Second, // a busy machine is no failure
	})
	c.url = proxy.URL()
	c.load()

	const between = 100 // requests between two changes
	for i := range 2 {
		c.after(t, between)
		next := spawn(t, c.args...)
		next.says(t, `"message":"ready"`)
		if err := running.ends(t); err != nil {
			t.Errorf("the old one ended with %v", err)
		}
		running, all = next, append(all, next)

		c.after(t, between)
		write(filepath.Join(c.policy, "policy.rego"), rules(i+1))
		running.says(t, "a changed policy is in force")

		c.after(t, between)
		write(c.config, first+fmt.Sprintf("budget: {max_alerts_per_day: %d}\n", 60+i))
		running.Process.Signal(syscall.SIGHUP)
		running.says(t, "configuration reloaded")
	}
	c.after(t, between)
	close(c.stop)
	c.loaders.Wait()
	if c.bad.Load() > 0 {
		t.Errorf("%d of %d requests failed, first: %s", c.bad.Load(), c.bad.Load()+c.good.Load(), *c.first.Load())
	}
	if n := c.starved.Load(); n > 0 && !slices.ContainsFunc(all, func(c *child) bool { return strings.Contains(c.log.String(), "no decision within") }) {
		t.Errorf("%d requests without a decision, and not for want of time", n)
	}
	if n := c.good.Load(); n < 7*between {
		t.Errorf("only %d requests", n)
	}
	var saved int
	for _, e := range must(os.ReadDir(strings.TrimPrefix(strings.Split(first, "\n")[2], "data_dir: "))) {
		if strings.HasPrefix(e.Name(), "snapshot-") {
			saved++
		}
	}
	if saved == 0 {
		t.Error("no snapshot was made")
	}
	t.Logf("%d requests, %d failed, %d starved, in 2 take-overs, 2 changes of policy and 2 of the configuration",
		c.good.Load(), c.bad.Load(), c.starved.Load())
}
