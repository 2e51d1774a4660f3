package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/wonted-project/wonted/policy"
)

const (
	readyWithin = 20 * time.Second
	goneWithin  = 5 * time.Second
)

// child is a wonted of its own: a real process, so that it can be killed. It
// writes its log as JSON lines, and among them its report of every exchange
// that was not plainly allowed; what the demo says in wonted's name it has
// read there.
type child struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; read after done

	mu      sync.Mutex
	reports []*policy.Report
	tail    [][]byte // the last lines of its log
}

// startChild runs program with args and waits until admin says that it is ready.
func startChild(ctx context.Context, program string, args []string, admin string) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, program, args...), done: make(chan struct{})}
	log, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.cmd.Stdout, c.cmd.Stderr = w, w
	c.cmd.SysProcAttr = ownGroup()
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = goneWithin
	err = c.cmd.Start()
	w.Close() // the child has its own
	if err != nil {
		log.Close()
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		c.read(log)
		log.Close()
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	if err := c.ready(ctx, admin); err != nil {
		c.stop()
		return nil, fmt.Errorf("start wonted: %w; its log ends:\n%s", err, c.logTail())
	}
	return c, nil
}

// ready polls until wonted says that it is.
func (c *child) ready(ctx context.Context, admin string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if answers(ctx, "http://"+admin+"/readyz") {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("it ended before it was ready (%v)", c.err)
		case <-ctx.Done():
			return fmt.Errorf("it was not ready in time (%w)", ctx.Err())
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// read takes the log apart until it ends.
func (c *child) read(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		report := parseReport(lines.Bytes())
		c.mu.Lock()
		if report != nil {
			c.reports = append(c.reports, report)
		} else {
			c.tail = append(c.tail, bytes.Clone(lines.Bytes()))
			c.tail = c.tail[max(0, len(c.tail)-10):]
		}
		c.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, log) // after a line too long: keep the child from blocking
}

// parseReport reads a line of the log; nil if it is no report.
func parseReport(line []byte) *policy.Report {
	var report policy.Report
	if err := json.Unmarshal(line, &report); err != nil || report.ID == "" || report.Action == "" || report.Route == "" {
		return nil
	}
	return &report
}

// reported returns all reports so far.
func (c *child) reported() []*policy.Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*policy.Report(nil), c.reports...)
}

func (c *child) logTail() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Join(c.tail, []byte("\n"))
}

// kill ends the child as a crash would, kill -9, and returns once it has gone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have gone already
	<-c.done
}

// stop asks the child to go, and insists after a while.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(goneWithin):
		c.kill()
	}
}

// patience is how long the demo waits for what wonted says: it reports once an
// exchange is over, which can be after the client has seen its end.
const patience = 3 * time.Second

// awaitReports polls the child's reports until enough says so or patience
// ends, and returns those that there are.
func (c *child) awaitReports(ctx context.Context, enough func([]*policy.Report) bool) []*policy.Report {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		reports := c.reported()
		if enough(reports) || ctx.Err() != nil {
			return reports
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}
