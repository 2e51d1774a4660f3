package envoytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
)

// program is the wonted under test, built once for the test binary.
var program struct {
	sync.Once
	dir, path string
	err       error
}

// Main runs a package's tests and removes the program that they built.
func Main(m *testing.M) int {
	defer func() {
		if program.dir != "" {
			os.RemoveAll(program.dir)
		}
	}()
	return m.Run()
}

// Build returns the wonted program, built from this module without the race
// detector: what is tested is what ships.
func Build(t testing.TB) string {
	t.Helper()
	program.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "wonted-under-test-"); program.err != nil {
			return
		}
		program.path = filepath.Join(program.dir, "wonted")
		out, err := exec.Command("go", "build", "-o", program.path, "github.com/wonted-project/wonted/cmd/wonted").CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if program.err != nil {
		t.Fatalf("build wonted: %v", program.err)
	}
	return program.path
}

// Settings of a wonted process.
type Settings struct {
	Depth  string // adaptive unless set; of wonted and, in a test's own way, of Envoy
	Mode   string // enforce unless set
	Fail   string // open unless set
	Policy string // Rego that replaces the default policy; "": the default policy
	More   string // further lines of YAML
	Listen string // "": a Unix socket of its own
}

// Wonted is a running `wonted serve`.
type Wonted struct {
	Depth  string // likewise, envoy.Options.Depth
	Listen string // as its configuration has it, and envoy.Options.Wonted wants it
	Admin  string // http://host:port
	Config string // its configuration file
	Policy string // the directory of its policy; "" with the default policy

	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// StartWonted writes the configuration, runs `wonted serve` until the test
// ends, and waits until it is ready.
func StartWonted(t testing.TB, s Settings) *Wonted {
	t.Helper()
	dir, err := os.MkdirTemp("", "wonted-") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &Wonted{Depth: or(s.Depth, "adaptive"), Config: filepath.Join(dir, "wonted.yaml"), log: filepath.Join(dir, "log")}
	if w.Listen = s.Listen; w.Listen == "" {
		w.Listen = "unix://" + filepath.Join(dir, "extproc.sock")
	}
	admin := FreeAddress(t)
	w.Admin = "http://" + admin
	config := fmt.Sprintf("mode: %s\nlisten: %s\nadmin: %s\nfail: %s\ndepth: %s\n",
		or(s.Mode, "enforce"), w.Listen, admin, or(s.Fail, "open"), w.Depth)
	if s.Policy != "" {
		w.Policy = filepath.Join(dir, "policy")
		w.WritePolicy(t, s.Policy)
		config += "policy: {path: " + w.Policy + "}\n"
	}
	if err := os.WriteFile(w.Config, []byte(config+s.More), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Start(t)
	t.Cleanup(func() {
		w.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("wonted's log ends:\n%s", w.tail(30))
		}
	})
	return w
}

// WritePolicy replaces the policy by a rename, as a careful operator does.
func (w *Wonted) WritePolicy(t testing.TB, rego string) {
	t.Helper()
	if err := os.MkdirAll(w.Policy, 0o700); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(filepath.Dir(w.Policy), "policy.new")
	if err := os.WriteFile(fresh, []byte(rego), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, filepath.Join(w.Policy, "policy.rego")); err != nil {
		t.Fatal(err)
	}
}

// Start runs the program again with the same configuration, after Kill or Terminate.
func (w *Wonted) Start(t testing.TB) {
	t.Helper()
	w.launch(t)
	w.ready(t)
}

// TakeOver runs the program a second time beside the one that runs, which
// hands over to it, and returns when that one has ended.
func (w *Wonted) TakeOver(t testing.TB) {
	t.Helper()
	old := w.done
	w.launch(t, "--takeover")
	w.ready(t)
	select {
	case <-old:
	case <-time.After(patience):
		t.Fatalf("the wonted before is still there; the log of both:\n%s", w.tail(30))
	}
}

func (w *Wonted) launch(t testing.TB, flags ...string) {
	t.Helper()
	log, err := os.OpenFile(w.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	w.cmd = exec.Command(Build(t), append([]string{"serve", "--config", w.Config}, flags...)...)
	w.cmd.Stdout, w.cmd.Stderr = log, log
	w.cmd.SysProcAttr = Child()
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done, cmd := make(chan struct{}), w.cmd
	w.done = done
	go func() { _ = cmd.Wait(); close(done) }()
}

func (w *Wonted) ready(t testing.TB) {
	t.Helper()
	done, cmd := w.done, w.cmd
	Eventually(t, "wonted is ready", func() error {
		select {
		case <-done:
			return Hopeless(fmt.Errorf("it has ended: %v; its log:\n%s", cmd.ProcessState, w.tail(30)))
		default:
		}
		response, err := http.Get(w.Admin + "/readyz")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("/readyz answers %s", response.Status)
		}
		return nil
	})
}

// Log returns the JSON lines that wonted has logged so far.
func (w *Wonted) Log() []map[string]any {
	text, _ := os.ReadFile(w.log)
	var lines []map[string]any
	for line := range bytes.Lines(text) {
		var fields map[string]any
		if json.Unmarshal(line, &fields) == nil {
			lines = append(lines, fields)
		}
	}
	return lines
}

func (w *Wonted) tail(lines int) string { return envoy.Tail(w.log, lines) }

// FreeAddress is a loopback address that was free a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func or(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}
