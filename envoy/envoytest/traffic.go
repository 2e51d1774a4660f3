package envoytest

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Traffic is requests of the callers key-0 to key-9 at an even rate, whatever
// becomes of those before: what falls due while answers are late is sent as
// soon as a client is free, and its latency counts from when it was due.
type Traffic struct {
	begun   time.Time
	every   time.Duration
	stop    chan struct{}
	clients sync.WaitGroup
	good    atomic.Int64

	mu      sync.Mutex
	failed  []string
	slowest time.Duration
}

// StartTraffic sends rate requests a second for an answer of [Upstream] through
// url, until End.
func StartTraffic(url string, rate int) *Traffic {
	l := &Traffic{begun: time.Now(), every: time.Second / time.Duration(rate), stop: make(chan struct{})}
	due := make(chan int)
	l.clients.Go(func() {
		defer close(due)
		for n := 0; ; n++ {
			time.Sleep(time.Until(l.due(n)))
			select {
			case <-l.stop:
				return
			case due <- n:
			}
		}
	})
	for range 32 {
		l.clients.Go(func() {
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetHTTP1(true)
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for n := range due {
				l.count(n, one(client, url, n))
			}
		})
	}
	return l
}

func (l *Traffic) due(n int) time.Time { return l.begun.Add(time.Duration(n) * l.every) }

// one wants a whole answer of as many records as it asks for, which comes in
// two pieces.
func one(client *http.Client, url string, n int) error {
	request, err := http.NewRequest(http.MethodGet, url+"/v1/orders?records=20&flush=10", nil)
	if err != nil {
		return err
	}
	request.Header.Set("x-api-key", fmt.Sprintf("key-%d", n%10))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || Records(body) != 20 {
		return fmt.Errorf("answered %d with %.200q", response.StatusCode, body)
	}
	return nil
}

func (l *Traffic) count(n int, err error) {
	took := time.Since(l.due(n))
	if err == nil {
		l.good.Add(1)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, took)
	if err != nil {
		l.failed = append(l.failed, fmt.Sprintf("request %d, due after %v, took %v: %v",
			n, l.due(n).Sub(l.begun).Round(time.Millisecond), took.Round(time.Millisecond), err))
	}
}

// GoesOn waits until n more requests have been answered well.
func (l *Traffic) GoesOn(t testing.TB, n int64) {
	t.Helper()
	want := l.good.Load() + n
	Eventually(t, fmt.Sprintf("%d more requests are answered", n), func() error {
		if have := l.good.Load(); have < want {
			return fmt.Errorf("%d to go", want-have)
		}
		return nil
	})
}

// End stops the traffic, says in the test's log what of it there was while what
// was done, and wants that every request was answered well and whole.
func (l *Traffic) End(t testing.TB, what string) {
	t.Helper()
	close(l.stop)
	l.clients.Wait()
	took, failed := time.Since(l.begun), len(l.failed)
	sent := l.good.Load() + int64(failed)
	t.Logf("%s: %d requests in %.1f s, %.0f a second, %d failed; the slowest took %v",
		what, sent, took.Seconds(), float64(sent)/took.Seconds(), failed, l.slowest.Round(time.Millisecond))
	for _, failure := range l.failed[:min(5, failed)] {
		t.Errorf("%s: %s", what, failure)
	}
}
