package envoy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readyTimeout = 20 * time.Second
	stopTimeout  = 5 * time.Second
)

// Process is a running Envoy.
type Process struct {
	cmd     *exec.Cmd
	log     string
	scheme  string
	address string // of the listener
	admin   string
	done    chan struct{}
	err     error // why it ended; read after done
}

// Start renders opts into dir, runs Envoy on it and waits until it serves.
// Ports may be 0: URL and AdminURL say what was bound. Envoy's own log and
// the rendered configuration stay in dir. It ends with ctx, with Stop, or
// with this process.
func Start(ctx context.Context, bin string, opts Options, dir string) (*Process, error) {
	b, err := build(opts)
	if err != nil {
		return nil, err
	}
	config, err := render(b, opts.withDefaults())
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, bin, config, dir, opts.Concurrency)
	if err == nil && opts.TLS != nil {
		p.scheme = "https"
	}
	return p, err
}

func start(ctx context.Context, bin string, config []byte, dir string, concurrency int) (*Process, error) {
	configPath := filepath.Join(dir, "envoy.yaml")
	if err := os.WriteFile(configPath, config, 0o600); err != nil {
		return nil, fmt.Errorf("start envoy: %w", err)
	}
	adminPath := filepath.Join(dir, "envoy.admin")
	if err := os.Remove(adminPath); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("start envoy: %w", err)
	}
	p := &Process{log: filepath.Join(dir, "envoy.log"), scheme: "http", done: make(chan struct{})}
	output, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start envoy: %w", err)
	}
	defer output.Close()

	args := []string{
		"--config-path", configPath, "--admin-address-path", adminPath,
		"--log-level", "warning", "--disable-hot-restart", // several may run side by side
		"--file-flush-interval-msec", "100", // the access log is read while Envoy runs
	}
	if concurrency > 0 {
		args = append(args, "--concurrency", strconv.Itoa(concurrency))
	}
	p.cmd = exec.CommandContext(ctx, bin, args...)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.SysProcAttr = ownGroup()
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start envoy %s: %w", bin, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := p.await(ctx, adminPath); err != nil {
		p.Stop()
		return nil, fmt.Errorf("start envoy %s: %w; its log (%s) ends:\n%s", bin, err, p.log, p.LogTail(10))
	}
	return p, nil
}

// await polls until Envoy is live and its listener's port is known.
func (p *Process) await(ctx context.Context, adminPath string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if p.serving(ctx, adminPath) {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended before it was ready (%v)", p.err)
		case <-ctx.Done():
			return fmt.Errorf("it was not ready in time (%w)", ctx.Err())
		case <-tick.C:
		}
	}
}

func (p *Process) serving(ctx context.Context, adminPath string) bool {
	if p.admin == "" {
		address, err := os.ReadFile(adminPath)
		if err != nil || len(address) == 0 {
			return false
		}
		p.admin = strings.TrimSpace(string(address))
	}
	if body, err := get(ctx, p.AdminURL()+"/ready"); err != nil || !strings.HasPrefix(string(body), "LIVE") {
		return false
	}
	body, err := get(ctx, p.AdminURL()+"/listeners?format=json")
	if err != nil {
		return false
	}
	var found struct {
		Statuses []struct {
			Name    string `json:"name"`
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if json.Unmarshal(body, &found) != nil {
		return false
	}
	for _, l := range found.Statuses {
		if l.Name == listenerName && l.Address.Socket.Port != 0 {
			host := l.Address.Socket.Address
			if host == "0.0.0.0" || host == "::" {
				host = "localhost"
			}
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			p.address = host + ":" + strconv.Itoa(l.Address.Socket.Port)
			return true
		}
	}
	return false
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(io.LimitReader(response.Body, 4<<20))
}

// URL is where clients reach Envoy, without a trailing slash.
func (p *Process) URL() string { return p.scheme + "://" + p.address }

// Address is the host:port of URL.
func (p *Process) Address() string { return p.address }

// AdminURL is Envoy's admin page, without a trailing slash.
func (p *Process) AdminURL() string { return "http://" + p.admin }

// PID is the process id, for those who measure it.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when Envoy has ended, however it came to that.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop ends Envoy, by force if it does not go within a few seconds, and
// returns once it has gone.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have gone already
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// LogTail returns the last lines of Envoy's log.
func (p *Process) LogTail(lines int) string { return Tail(p.log, lines) }
