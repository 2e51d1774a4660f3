package bench

import (
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally is what one run of a load saw. Clients share one: each has its own
// shard, so that they do not wait for each other.
type tally struct {
	shards []tallyShard
	start  time.Time
	end    time.Time // of the last answer
}

type tallyShard struct {
	mu        sync.Mutex
	latency   *hdrhistogram.Histogram // µs
	requests  int                     // answered in whole
	statuses  map[int]int
	errors    map[string]int
	different map[string]int // answers that are not the API's
	_         [64]byte       // shards lie on cache lines of their own
}

// Latencies are kept to three digits, up to a minute.
const (
	longest = 60 * 1000 * 1000 // µs
	digits  = 3
	shards  = 16
)

func newTally(clients int) *tally {
	t := &tally{shards: make([]tallyShard, min(clients, shards)), start: time.Now()}
	for i := range t.shards {
		s := &t.shards[i]
		s.latency = hdrhistogram.New(1, longest, digits)
		s.statuses, s.errors, s.different = map[int]int{}, map[string]int{}, map[string]int{}
	}
	return t
}

// add counts what client i got for q, took after it was to be sent.
func (t *tally) add(i int, q *Request, a answer, err error, took time.Duration, expect expectation) {
	s := &t.shards[i%len(t.shards)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !(expect == enforced && q.Attack && a.status != 0) {
		s.errors[kind(err)]++
		return
	}
	s.requests++
	s.statuses[a.status]++
	_ = s.latency.RecordValue(min(max(took.Microseconds(), 1), longest)) // within its bounds
	if d := expect.differs(q, a); d != "" {
		s.different[d]++
	}
}

// sum is the tally of all clients, once they have stopped.
func (t *tally) sum() *tallyShard {
	all := &tallyShard{latency: hdrhistogram.New(1, longest, digits),
		statuses: map[int]int{}, errors: map[string]int{}, different: map[string]int{}}
	for i := range t.shards {
		s := &t.shards[i]
		all.latency.Merge(s.latency)
		all.requests += s.requests
		addAll(all.statuses, s.statuses)
		addAll(all.errors, s.errors)
		addAll(all.different, s.different)
	}
	return all
}

func addAll[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

// sent is how many requests have left, with or without an answer.
func (s *tallyShard) sent() int {
	n := s.requests
	for count := range maps.Values(s.errors) {
		n += count
	}
	return n
}

// binStep is the least ratio of two bins of the curve.
const binStep = 1.02

// round fills in what the clients know of a round.
func (s *tallyShard) round(seconds float64) Round {
	r := Round{Requests: s.requests, Errors: s.errors, Statuses: s.statuses, Seconds: seconds, Scored: -1}
	quantile := func(q float64) float64 { return float64(s.latency.ValueAtQuantile(q)) / 1e3 }
	r.P50, r.P90, r.P99, r.P999 = quantile(50), quantile(90), quantile(99), quantile(99.9)
	for _, bar := range s.latency.Distribution() {
		if bar.Count == 0 {
			continue
		}
		upTo := float64(bar.To) / 1e3
		if n := len(r.Histogram); n > 0 && upTo < r.Histogram[n-1].UpTo*binStep {
			r.Histogram[n-1].Count += bar.Count
			continue
		}
		r.Histogram = append(r.Histogram, Bin{UpTo: upTo * binStep, Count: bar.Count})
	}
	return r
}

// expectation is what answers are held against.
type expectation int

const (
	anything expectation = iota // an API of somebody's own
	exact                       // whatever the harness's API says
	enforced                    // the same, but an attack may be refused or cut
)

// differs says how an answer is not the API's; empty: it is.
func (e expectation) differs(q *Request, a answer) string {
	switch {
	case e == anything:
		if a.status >= http.StatusInternalServerError {
			return http.StatusText(a.status)
		}
		return ""
	case a.status == q.Status && a.bytes == q.Bytes:
		return ""
	case e == enforced && q.Attack:
		return ""
	case a.status != q.Status:
		return statusPair(a.status, q.Status)
	default:
		return "bodies of another size"
	}
}

func statusPair(got, want int) string {
	return fmt.Sprintf("status %d where the API says %d", got, want)
}
