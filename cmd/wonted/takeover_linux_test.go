package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// Two successors in a row, under calls of every sort: none fails, and what
// was known is still known.
func TestTakeOverFailsNoCall(t *testing.T) {
	dir := shortDir(t)
	l := &load{socket: filepath.Join(dir, "a.sock"), admin: freePort(t)}
	args := []string{"serve", "--listen", "unix://" + l.socket, "--admin", l.admin, "--data-dir", t.TempDir(), "--takeover"}

	running := spawn(t, args...)
	running.says(t, "nothing to take over")
	running.says(t, `"message":"ready"`)
	client := extprocv3.NewExternalProcessorClient(l.dial(t))
	for range 20 {
		if err := wholeExchange(t.Context(), client, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	l.start(t)
	for range 2 {
		l.more(t, 30)
		next := spawn(t, args...)
		next.says(t, `"message":"ready"`)
		if err := running.ends(t); err != nil {
			t.Errorf("the old one ended with %v", err)
		}
		running.says(t, "a successor serves")
		next.says(t, "the wonted before this one has ended")
		running = next
	}
	l.more(t, 30)
	l.stop.Store(true)
	l.all.Wait()
	if why := l.failed.Load(); why != nil {
		t.Error(*why)
	}
	t.Logf("calls: %d exchanges, %d on a connection each, %d of health, %d of readyz",
		l.calls[0].Load(), l.calls[1].Load(), l.calls[2].Load(), l.calls[3].Load())

	if got := requestsOf(t, l.admin, "alice"); got != 20 {
		t.Errorf("alice has %d requests after two successors, want 20", got)
	}
	running.Process.Signal(syscall.SIGTERM)
	if err := running.ends(t); err != nil {
		t.Error(err)
	}
	if left := must(os.ReadDir(dir)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// requestsOf is how many requests of a caller are remembered.
func requestsOf(t *testing.T, admin, who string) uint32 {
	t.Helper()
	res, err := http.Get("http://" + admin + "/v1/profiles/" + who)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct{ Profiles []profileView }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Profiles) == 0 {
		return 0
	}
	return answer.Profiles[0].Requests
}

// A successor that fails changes nothing for the one that runs.
func TestASuccessorThatFailsChangesNothing(t *testing.T) {
	dir, data := shortDir(t), t.TempDir()
	socket, admin := filepath.Join(dir, "a.sock"), freePort(t)
	args := []string{"serve", "--listen", "unix://" + socket, "--admin", admin, "--data-dir", data}
	running := spawn(t, args...)
	running.says(t, `"message":"ready"`)

	broken := spawn(t, append(args, "--takeover", "--policy", filepath.Join(dir, "none"))...)
	if err := broken.ends(t); err == nil {
		t.Error("a successor without its policy ended well")
	}
	running.says(t, "no successor: this wonted goes on")
	client := extprocv3.NewExternalProcessorClient((&load{socket: socket}).dial(t))
	for range 3 {
		if err := wholeExchange(t.Context(), client, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	running.Process.Signal(syscall.SIGTERM)
	if err := running.ends(t); err != nil {
		t.Fatalf("it ended with %v", err)
	}
	again := spawn(t, append(args, "--takeover")...)
	again.says(t, `"message":"ready"`)
	if got := requestsOf(t, admin, "alice"); got != 3 {
		t.Errorf("alice has %d requests, want 3: the one that went on did not save at its end", got)
	}
}

// The one that runs is killed, or told to end, while its successor starts: the
// successor has the listeners, and their socket must still be there.
func TestThePredecessorDiesDuringTheTakeOver(t *testing.T) {
	f := func(sig syscall.Signal) {
		t.Helper()
		socket := filepath.Join(shortDir(t), "a.sock")
		running := spawn(t, "serve", "--listen", "unix://"+socket, "--admin", freePort(t), "--data-dir", t.TempDir())
		running.says(t, `"message":"ready"`)
		cfg := testConfig(t, "unix://"+socket)
		before, err := takeOver(t.Context(), cfg, newLogger(io.Discard, 0))
		if err != nil || before == nil {
			t.Fatalf("%v: nothing to take over: %v", sig, err)
		}
		defer before.close()
		running.Process.Signal(sig)
		running.ends(t)
		l, err := before.door("listen", cfg.Listen)
		if err != nil || l == nil {
			t.Fatalf("%v: no listener: %v", sig, err)
		}
		defer l.Close()
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatalf("%v: the socket is gone: %v", sig, err)
		}
		conn.Close()
	}
	f(syscall.SIGKILL)
	f(syscall.SIGTERM)
}

func TestTakeOverRefusesWhatItCannotDo(t *testing.T) {
	f := func(listen string) {
		t.Helper()
		_, err := takeOver(t.Context(), testConfig(t, listen), newLogger(io.Discard, 0))
		if err == nil || !strings.Contains(err.Error(), "no socket with a path") {
			t.Errorf("%s: %v", listen, err)
		}
	}
	f("127.0.0.1:9000")
	f("unix://@abstract")

	// Somebody who does not know how to ask, or who has nothing to give.
	dir := shortDir(t)
	path := filepath.Join(dir, "a.sock")
	l := must(net.Listen("unix", path+controlSuffix))
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "{\"doors\":[{\"key\":\"listen\"}]}\n")
			conn.Close()
		}
	}()
	if _, err := takeOver(t.Context(), testConfig(t, "unix://"+path), newLogger(io.Discard, 0)); err == nil {
		t.Error("listeners that were only announced are taken over")
	}
}

func testConfig(t *testing.T, listen string) *config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Listen = listen
	return cfg
}
