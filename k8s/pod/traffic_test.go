//go:build pod

package pod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// front is where clients find Envoy: which pods, the one that is current first.
// It is what a Service is in a cluster.
type front struct {
	mu   sync.Mutex
	pods []*pod
	next int
}

func (f *front) set(pods ...*pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pods = pods
}

// dial connects to the pods by turns.
func (f *front) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	f.mu.Lock()
	f.next++
	p := f.pods[f.next%len(f.pods)]
	f.mu.Unlock()
	return p.dial(ctx, network, "127.0.0.1:8080")
}

// answer is what a client sees.
type answer struct {
	status int
	judged bool // wonted has seen it
	body   string
}

// get asks once, with this key.
func get(client *http.Client, key, path string) (answer, error) {
	r, err := http.NewRequest(http.MethodGet, "http://gateway"+path, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("x-api-key", key)
	response, body, err := do(client, r)
	if err != nil {
		return answer{}, err
	}
	return answer{response.StatusCode, response.Header.Get("x-judged") == "by-wonted", body}, nil
}

// do asks, and reads what is answered.
func do(client *http.Client, r *http.Request) (*http.Response, string, error) {
	response, err := client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// tally is what became of requests.
type tally struct {
	sent, unjudged int
	refused        int      // nobody listened: they have not reached an Envoy
	cut            int      // in the middle of connecting when a port closed, or so it looks
	failed         []string // the others
}

// traffic goes on, from clients that keep their connection and such as do not,
// until the function is called that it returns.
func traffic(t *testing.T, f *front) (stop func() tally) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var sum tally
	done := make(chan struct{})
	began := time.Now()
	for i := range 4 {
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: f.dial, DisableKeepAlives: i%2 == 0}}
		all.Go(func() {
			defer client.CloseIdleConnections()
			for every := time.NewTicker(10 * time.Millisecond); ; {
				select {
				case <-done:
					return
				case <-every.C:
				}
				a, err := get(client, fmt.Sprintf("customer-%d", i), "/v1/orders/48001")
				mu.Lock()
				sum.sent++
				switch {
				case errors.Is(err, syscall.ECONNREFUSED):
					sum.refused++
				case errors.Is(err, syscall.ECONNRESET):
					sum.cut++
				case err != nil:
					sum.failed = append(sum.failed, fmt.Sprintf("after %v: %v", time.Since(began), err))
				case a.status != http.StatusOK:
					sum.failed = append(sum.failed, fmt.Sprintf("after %v: %d %s", time.Since(began), a.status, a.body))
				case !a.judged:
					sum.unjudged++
				}
				mu.Unlock()
			}
		})
	}
	return func() tally {
		close(done)
		all.Wait()
		t.Logf("%d requests: %d failed, %d passed unjudged, %d found nobody listening, %d a port as it closed",
			sum.sent, len(sum.failed), sum.unjudged, sum.refused, sum.cut)
		return sum
	}
}

// unharmed fails the test where a request failed that had reached an Envoy. Ports
// closed so many times: the kernel resets whom it has let in and nobody has
// accepted yet.
func (s tally) unharmed(t *testing.T, closed int) {
	t.Helper()
	if s.cut > 2*closed {
		t.Errorf("%d of %d connections were reset", s.cut, s.sent)
	}
	if len(s.failed) > 0 {
		t.Errorf("%d of %d requests failed, among them:\n%s", len(s.failed), s.sent, strings.Join(s.failed[:min(10, len(s.failed))], "\n"))
	}
	if s.sent < 20 {
		t.Errorf("%d requests only", s.sent)
	}
}
