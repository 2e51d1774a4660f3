package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// wonted is a running `wonted serve`.
type wonted struct {
	*child
	listen string
	admin  string // http://host:port
	policy string // the directory of its policy
	rego   string // and what is in it
}

// startWonted runs one as it ships, with profiles of all callers.
func (s *scene) startWonted(ctx context.Context, c *contender) (*wonted, error) {
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(c.dir, strconv.Itoa(len(c.wonted)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	w := &wonted{listen: "unix://" + filepath.Join(dir, "sock"), admin: "http://" + admin}
	var settings strings.Builder
	set := func(format string, args ...any) { fmt.Fprintf(&settings, format+"\n", args...) }
	set("mode: %s\ndepth: %s\nlisten: %s\nadmin: %s\ntrusted_proxies: 1", c.Mode, c.depth, w.listen, admin)
	if s.plan.Policy != "" {
		w.policy, w.rego = filepath.Join(dir, "policy"), s.plan.Policy
		if err := w.writePolicy(w.rego); err != nil {
			return nil, err
		}
		set("policy: {path: %s}", w.policy)
	}
	if s.profiles != nil {
		data := filepath.Join(dir, "data")
		if err := s.profiles.lend(data); err != nil {
			return nil, err
		}
		set("data_dir: %s\nidentity_key: %s\nprofile: {memory: %dMiB}", data, s.profiles.key, ProfileMemory(s.profiles.load)>>20)
		set("snapshot_every: %v", s.snapshots())
	}
	config := filepath.Join(dir, "wonted.yaml")
	if err := os.WriteFile(config, []byte(settings.String()), 0o600); err != nil {
		return nil, err
	}
	start := command{name: c.Name, dir: dir, args: []string{s.plan.Program, "serve", "--config", config}}
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
