//go:build h2spec

package bench

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// h2spec sends what HTTP/2 allows and what it forbids, and looks at the answer.
// grpc-go fails some of it by choice: so what counts is the difference.
const h2spec = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible"

// http2Sections are all of h2spec but 5.1.2, which opens as many streams as it
// may and one more: here that is a million. 5.1 alone would take it along.
func http2Sections() []string {
	all := []string{"generic", "hpack", "http2/3", "http2/4", "http2/5.1.1",
		"http2/5.3", "http2/5.4", "http2/5.5", "http2/6", "http2/7", "http2/8"}
	for i := range 13 {
		all = append(all, fmt.Sprintf("http2/5.1/%d", i+1))
	}
	return all
}

// times is how often each server is examined. A frame that is wrong may cross
// with the server's answer to the one before, and some tests then end one way or
// the other: what counts is a test that never ends as with grpc-go.
const times = 3

// outcomes are how a server's tests ended, each as often as it was examined.
type outcomes map[string][]string

// TestHTTP2ByDifference: wonted's server, with connections of its own and with
// Go's, speaks HTTP/2 as a grpc-go server does that has the same limits.
//
//	make h2spec
func TestHTTP2ByDifference(t *testing.T) {
	dir := t.TempDir()
	tool, program := filepath.Join(dir, "h2spec"), filepath.Join(dir, "wonted")
	install := exec.Command("go", "install", h2spec)
	install.Env = append(os.Environ(), "GOBIN="+dir)
	for _, c := range []*exec.Cmd{install, exec.Command("go", "build", "-o", program, "../cmd/wonted")} {
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, out)
		}
	}
	servers := map[string]string{
		"grpc-go":               startBare(t),
		"wonted":                startPlain(t, program, true),
		"wonted, Go's syscalls": startPlain(t, program, false),
	}
	var mu sync.Mutex
	all := map[string]outcomes{}
	var busy sync.WaitGroup
	for name, address := range servers {
		all[name] = outcomes{}
		busy.Go(func() {
			for n := range times {
				found, err := examine(t.Context(), tool, address, filepath.Join(dir, fmt.Sprint(name, n, ".xml")))
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				mu.Lock()
				for test, outcome := range found {
					all[name][test] = append(all[name][test], outcome)
				}
				mu.Unlock()
			}
		})
	}
	busy.Wait()
	want := all["grpc-go"]
	for name, got := range all {
		t.Logf("%-22s %v", name, got)
		if len(got) != len(want) || len(got) < 140 {
			t.Errorf("%s: h2spec ran %d tests, with grpc-go %d", name, len(got), len(want))
		}
		for _, test := range slices.Sorted(maps.Keys(want)) {
			if !slices.ContainsFunc(got[test], func(o string) bool { return slices.Contains(want[test], o) }) {
				t.Errorf("%s: %s: %v; grpc-go: %v", name, test, got[test], want[test])
			}
		}
	}
}

// String counts the tests that always ended alike, and the others.
func (o outcomes) String() string {
	count := map[string]int{}
	for _, ends := range o {
		if ends = slices.Compact(slices.Sorted(slices.Values(ends))); len(ends) > 1 {
			ends = []string{"now this, now that"}
		}
		count[ends[0]]++
	}
	return fmt.Sprintf("%d tests: %v", len(o), count)
}

// startBare is grpc-go as it comes, but for the limit of streams.
func startBare(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxConcurrentStreams(1 << 20))
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

// startPlain is wonted on TCP, which is what h2spec speaks.
func startPlain(t *testing.T, program string, raw bool) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	config := filepath.Join(t.TempDir(), "wonted.yaml")
	text := fmt.Sprintf("listen: %s\nadmin: \"\"\nraw_syscalls: %v\n", address, raw)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd := exec.Command(program, "serve", "--config", config)
	cmd.Stderr, cmd.SysProcAttr = &log, envoytest.Child()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("wonted's log:\n%s", log.String())
		}
	})
	envoytest.Eventually(t, "wonted listens on "+address, func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err
	})
	return address
}

// examine runs h2spec and returns how each of its tests ended.
func examine(ctx context.Context, tool, address, report string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	args := append([]string{"-h", host, "-p", port, "-o", "1", "-j", report}, http2Sections()...)
	out, err := exec.CommandContext(ctx, tool, args...).CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed || ctx.Err() != nil {
		return nil, fmt.Errorf("h2spec: %w\n%s", errors.Join(err, ctx.Err()), out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	var suites struct {
		Cases []struct {
			Section string    `xml:"package,attr"`
			Name    string    `xml:"classname,attr"`
			Skipped *struct{} `xml:"skipped"`
			Failed  *string   `xml:"failure"`
			Errors  *string   `xml:"error"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(text, &suites); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, c := range suites.Cases {
		outcome := "passed"
		switch {
		case c.Skipped != nil:
			outcome = "skipped"
		case c.Failed != nil || c.Errors != nil:
			outcome = "failed"
		}
		found[c.Section+" "+c.Name] = outcome
	}
	return found, nil
}
