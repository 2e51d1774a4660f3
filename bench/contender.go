package bench

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/envoy"
)

// contender is a variant that stands ready: its processor and an Envoy of its
// own, both idle until its turn.
type contender struct {
	design
	address    string         // of its Envoy, for clients
	envoy      *envoy.Process // nil: a target
	processors []*child       // none: there is nothing, or it is not ours
	wonted     ring           // those of the processors that are wonted: all or none
	dir        string
	sent       int // requests so far
}

// scene starts contenders, all in front of the same API.
type scene struct {
	plan     *Plan
	bin      string // Envoy
	dir      string
	upstream string // host:port
	profiles *profiles
	procs    int           // GOMAXPROCS of wonted
	saving   time.Duration // how often wonted saves; 0: not
}

// start brings a variant up. On error nothing of it runs any longer.
func (s *scene) start(ctx context.Context, name string) (*contender, error) {
	d, err := s.plan.variant(name)
	if err != nil {
		return nil, err
	}
	c := &contender{design: d}
	if d.Name == targetName {
		return c, c.reach(ctx, s.plan.Target)
	}
	// Sockets lie here: the path must be short.
	if c.dir, err = os.MkdirTemp(s.dir, ""); err != nil {
		return nil, err
	}
	opts := envoy.Options{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Upstream: s.upstream,
		MessageTimeout: messageTimeout, TrustedProxies: 1, Concurrency: 1,
	}
	d.shape(&opts)
	if err := c.startProcessor(ctx, s, &opts); err != nil {
		c.stop()
		return nil, err
	}
	if c.envoy, err = envoy.Start(ctx, s.bin, opts, c.dir); err != nil {
		c.stop()
		return nil, fmt.Errorf("variant %s: %w", name, err)
	}
	c.address = c.envoy.Address()
	return c, nil
}

// startProcessor runs what belongs between Envoy and nothing, and tells opts
// where it is.
func (c *contender) startProcessor(ctx context.Context, s *scene, opts *envoy.Options) (err error) {
	switch {
	case opts.Bare:
		return nil
	case c.peer != nil:
		return c.startPeer(ctx, s, opts)
	case c.depth != "":
		for len(c.wonted) < c.copies {
			w, err := s.startWonted(ctx, c)
			if err != nil {
				return err
			}
			c.wonted, c.processors = append(c.wonted, w), append(c.processors, w.child)
		}
		opts.Wonted, opts.Replicas = c.wonted[0].listen, c.wonted.replicas()
		if len(opts.Replicas) > 0 {
			opts.Affinity = string(nameKey)
		}
		return nil
	default:
		opts.Wonted = "unix://" + filepath.Join(c.dir, "sock")
		return c.startProgram(ctx, command{
			name: c.Name, dir: c.dir, args: []string{s.plan.Program, "bench", "noop", "--listen", opts.Wonted},
		}, opts.Wonted)
	}
}

// startProgram runs a processor that is not wonted, until it listens.
func (c *contender) startProgram(ctx context.Context, start command, listen string) error {
	p, err := startChild(ctx, start, listening(listen))
	if err == nil {
		c.processors = append(c.processors, p)
	}
	return err
}

// reach finds out whether the target answers at all.
func (c *contender) reach(ctx context.Context, target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("target %q: write http://host:port", target)
	}
	c.address = u.Host
	if u.Port() == "" {
		c.address = net.JoinHostPort(u.Hostname(), "80")
	}
	if err := listening(c.address)(ctx); err != nil {
		return fmt.Errorf("target %s refuses: %w; start the Envoy first, or name where it takes requests", target, err)
	}
	return nil
}

// gone says what of the contender has ended by itself; nil: nothing.
func (c *contender) gone() error {
	for _, p := range c.processors {
		if err := p.gone(); err != nil {
			return err
		}
	}
	if c.envoy == nil {
		return nil
	}
	select {
	case <-c.envoy.Done():
		return fmt.Errorf("the Envoy of %s has ended in the middle of the run; its log ends:\n%s", c.Name, c.envoy.LogTail(10))
	default:
		return nil
	}
}

// stop ends everything that start has started.
func (c *contender) stop() {
	if c.envoy != nil {
		c.envoy.Stop()
	}
	for _, p := range c.processors {
		if len(c.wonted) > 0 {
			p.kill() // it would save its profiles, which nobody will read
		} else {
			p.stop()
		}
	}
}

// startAll brings variants up, one after the other, or none.
func (s *scene) startAll(ctx context.Context, names []string, say func(string)) (all []*contender, err error) {
	for _, name := range names {
		say("starting " + name)
		c, err := s.start(ctx, name)
		if err != nil {
			stopAll(all)
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func stopAll(all []*contender) {
	for _, c := range slices.Backward(all) {
		c.stop()
	}
}
