package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
)

// stage is everything that runs: the sample API in this process, an Envoy
// without wonted, an Envoy with it, and one wonted an act. All on loopback
// ports and a Unix socket in a directory of its own, which goes with it.
type stage struct {
	dir     string
	program string // the wonted binary: this one
	listen  string // where wonted listens for Envoy
	zone    string
	api     *http.Server
	apiURL  string
	bare    *envoy.Process
	guarded *envoy.Process
	wonted  *child
	admin   string // of the running wonted
	acts    int
}

// The identity key is fixed: it guards invented customers.
var secret = identity.Secret([]byte("the key of an invented audience."))

// raise starts the API and both Envoys; wonted comes with rewind.
func raise(ctx context.Context, program, envoyBinary, zone string) (_ *stage, err error) {
	s := &stage{program: program, zone: zone}
	defer func() {
		if err != nil {
			s.strike()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "wonted-demo-"); err != nil {
		return nil, err
	}
	for _, name := range []string{"bare", "guarded", "past"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(s.path("identity.key"), secret[:], 0o600); err != nil {
		return nil, err
	}
	if s.listen = "unix://" + s.path("wonted.sock"); len(s.listen) > longestSocket {
		if s.listen, err = freePort(); err != nil {
			return nil, err
		}
	}
	upstream, err := s.serveAPI()
	if err != nil {
		return nil, err
	}
	options := envoy.Options{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Upstream: upstream,
		TrustedProxies: trustedProxies, Concurrency: 1, Bare: true,
	}
	if s.bare, err = envoy.Start(ctx, envoyBinary, options, s.path("bare")); err != nil {
		return nil, &noEnvoy{err}
	}
	options.Bare, options.Wonted, options.FailOpen = false, s.listen, true
	options.AccessLog = s.path("access.log")
	options.MessageTimeout = 2 * time.Second // a busy machine must not open the door to the thief
	if s.guarded, err = envoy.Start(ctx, envoyBinary, options, s.path("guarded")); err != nil {
		return nil, &noEnvoy{err}
	}
	return s, nil
}

// noEnvoy is an Envoy that would not start.
type noEnvoy struct{ error }

func (e *noEnvoy) Unwrap() error { return e.error }

// Hint says what to do about it.
func (e *noEnvoy) Hint() string {
	return "point ENVOY at an Envoy of version 1.37 or later; \"make demo\" with ENVOY unset fetches one"
}

// longestSocket is the longest path of a Unix socket that every kernel takes
// (104 bytes on a Mac), "unix://" included. Who keeps temporary files deeper
// than that gets a loopback port.
const longestSocket = 110

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// serveAPI starts the sample API in this process.
func (s *stage) serveAPI() (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.api = &http.Server{Handler: API(), ReadHeaderTimeout: 10 * time.Second}
	s.apiURL = "http://" + listener.Addr().String()
	go func() { _ = s.api.Serve(listener) }() // until strike
	return listener.Addr().String(), nil
}

// rewind starts a fresh wonted from the saved past, as if nothing had happened
// since; the one before is stopped.
func (s *stage) rewind(ctx context.Context, mode policy.Mode) error {
	if s.wonted != nil {
		s.wonted.stop()
		s.wonted = nil
	}
	s.acts++
	data := s.path(fmt.Sprintf("act-%d", s.acts))
	if err := os.CopyFS(data, os.DirFS(s.path("past"))); err != nil {
		return fmt.Errorf("rewind: %w", err)
	}
	admin, err := freePort()
	if err != nil {
		return err
	}
	config := s.path(fmt.Sprintf("wonted-%d.yaml", s.acts))
	if err := os.WriteFile(config, s.config(mode, admin, data), 0o600); err != nil {
		return err
	}
	s.admin = admin
	s.wonted, err = startChild(ctx, s.program, []string{"serve", "--config", config}, admin)
	return err
}

// config is wonted's whole configuration. Paths are quoted as Go quotes, which
// YAML's double quotes understand.
func (s *stage) config(mode policy.Mode, admin, data string) []byte {
	return fmt.Appendf(nil, `mode: %s
listen: %q
admin: %s
data_dir: %q
identity_key: %q
timezone: %s
trusted_proxies: %d
identity:
- {kind: caller, header: x-api-key, name: mask}
`, mode, s.listen, admin, data, s.path("identity.key"), s.zone, trustedProxies)
}

// freePort finds a loopback port that nobody uses at this moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// strike stops everything that was started, and removes its directory.
func (s *stage) strike() error {
	if s.guarded != nil {
		s.guarded.Stop()
	}
	if s.bare != nil {
		s.bare.Stop()
	}
	if s.wonted != nil {
		s.wonted.stop()
	}
	var err error
	if s.api != nil {
		err = s.api.Close()
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}
