package envoy_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// steady is traffic at an even rate, whatever happens to wonted meanwhile.
type steady struct {
	*scene
	begun   time.Time
	stop    chan struct{}
	clients sync.WaitGroup
	done    atomic.Int64 // answered well

	mu     sync.Mutex
	failed []string
}

// steady sends GET requests of the callers key-0 to key-9, rate in a second.
func (s *scene) steady(rate int) *steady {
	l := &steady{scene: s, begun: time.Now(), stop: make(chan struct{})}
	due := make(chan int)
	l.clients.Go(func() {
		defer close(due)
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-l.stop:
				return
			case <-tick.C:
				due <- n
			}
		}
	})
	for range 16 {
		c := http1(s)
		l.clients.Go(func() {
			for n := range due {
				l.one(c, n)
			}
		})
	}
	return l
}

func (l *steady) one(c client, n int) {
	got, err := c.do(http.MethodGet, l.envoy.URL()+"/v1/orders?records=20&flush=10", "x-api-key", fmt.Sprintf("key-%d", n%10))
	switch {
	case err != nil:
	case got.err != nil:
		err = got.err
	case got.StatusCode != http.StatusOK || envoytest.Records(got.body) != 20:
		err = fmt.Errorf("answered %d with %q", got.StatusCode, got.body)
	default:
		l.done.Add(1)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, fmt.Sprintf("request %d after %v: %v", n, time.Since(l.begun).Round(time.Millisecond), err))
}

// goesOn waits until n more requests have been answered well.
func (l *steady) goesOn(n int64) {
	l.Helper()
	want := l.done.Load() + n
	envoytest.Eventually(l, fmt.Sprintf("%d more requests are answered", n), func() error {
		if have := l.done.Load(); have < want {
			return fmt.Errorf("%d to go", want-have)
		}
		return nil
	})
}

// noneFailed ends the traffic, and wants that every request of it was
// answered well and whole.
func (l *steady) noneFailed(t testing.TB, what string) {
	t.Helper()
	close(l.stop)
	l.clients.Wait()
	took := time.Since(l.begun)
	t.Logf("%s: %d requests in %v, %.0f a second, %d failed", what, l.done.Load()+int64(len(l.failed)), took.Round(time.Millisecond),
		float64(l.done.Load())/took.Seconds(), len(l.failed))
	for _, failure := range l.failed[:min(5, len(l.failed))] {
		t.Errorf("%s: %s", what, failure)
	}
}
