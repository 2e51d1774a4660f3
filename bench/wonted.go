package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// wonted is a running `wonted serve`.
type wonted struct {
	*child
	listen string
	admin  string // http://host:port
	policy string // the directory of its policy
	rego   string // and what is in it
}

// startWonted runs it as it ships, with profiles of all callers.
func (s *scene) startWonted(ctx context.Context, c *contender) (*wonted, error) {
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	w := &wonted{listen: "unix://" + filepath.Join(c.dir, "sock"), admin: "http://" + admin}
	var settings strings.Builder
	set := func(format string, args ...any) { fmt.Fprintf(&settings, format+"\n", args...) }
	set("mode: %s\ndepth: %s\nlisten: %s\nadmin: %s\ntrusted_proxies: 1", c.Mode, c.depth, w.listen, admin)
	if s.plan.Policy != "" {
		w.policy, w.rego = filepath.Join(c.dir, "policy"), s.plan.Policy
		if err := w.writePolicy(w.rego); err != nil {
			return nil, err
		}
		set("policy: {path: %s}", w.policy)
	}
	if s.profiles != nil {
		data := filepath.Join(c.dir, "data")
		if err := s.profiles.lend(data); err != nil {
			return nil, err
		}
		set("data_dir: %s\nidentity_key: %s\nprofile: {memory: %dMiB}", data, s.profiles.key, ProfileMemory(s.profiles.load)>>20)
		set("snapshot_every: %v", s.snapshots())
	}
	config := filepath.Join(c.dir, "wonted.yaml")
	if err := os.WriteFile(config, []byte(settings.String()), 0o600); err != nil {
		return nil, err
	}
	start := command{name: c.Name, dir: c.dir, args: []string{s.plan.Program, "serve", "--config", config}}
	if s.procs > 0 {
		start.env = []string{"GOMAXPROCS=" + strconv.Itoa(s.procs)}
	}
	w.child, err = startChild(ctx, start, func(ctx context.Context) error {
		_, err := w.get(ctx, "/readyz")
		return err
	})
	return w, err
}

// writePolicy replaces the policy by a rename, as a careful operator does.
func (w *wonted) writePolicy(rego string) error {
	if err := os.MkdirAll(w.policy, 0o700); err != nil {
		return err
	}
	fresh := filepath.Join(filepath.Dir(w.policy), "policy.new")
	if err := os.WriteFile(fresh, []byte(rego), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(w.policy, "policy.rego"))
}

// get asks the admin page.
func (w *wonted) get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, goneWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.admin+path, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", path, response.Status)
	}
	return string(text), err
}

// metrics are all of wonted's at one moment.
type metrics string

func (w *wonted) metrics(ctx context.Context) (metrics, error) {
	text, err := w.get(ctx, "/metrics")
	if err != nil {
		return "", fmt.Errorf("%s: %w", w.name, err)
	}
	return metrics(text), nil
}

// sum adds up the series of a metric; ok is false where there is none.
func (m metrics) sum(name string) (sum float64, ok bool) {
	for lines := bufio.NewScanner(strings.NewReader(string(m))); lines.Scan(); {
		head, value, _ := strings.Cut(lines.Text(), " ")
		if head != name && !strings.HasPrefix(head, name+"{") {
			continue
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			sum, ok = sum+n, true
		}
	}
	return sum, ok
}

// judged is how many exchanges have been judged so far.
const judged = "wonted_exchanges_total"

// settleWithin is how long entries of the access log may take after the answer.
const settleWithin = 5 * time.Second

// settle waits until as many exchanges as want have been judged since wonted
// started, or no more come, and returns what it has found then.
func (w *wonted) settle(ctx context.Context, want float64) (m metrics, err error) {
	until := time.Now().Add(settleWithin)
	for {
		if m, err = w.metrics(ctx); err != nil {
			return m, err
		}
		n, ok := m.sum(judged)
		if !ok {
			return m, fmt.Errorf("%s has no metric %s", w.name, judged)
		}
		if n >= want || time.Now().After(until) {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return m, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
