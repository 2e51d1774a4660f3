package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Load is a closed loop of HTTP/1.1 clients, each on one kept connection. It
// is deliberately plain (bytes written, the head of the answer scanned): on a
// shared machine, what the client burns is taken from what is measured.
type Load struct {
	Address     string   // host:port
	Requests    [][]byte // complete requests without a body; each client walks them all, from its own place
	Concurrency int
}

// Outcome is what one run saw.
type Outcome struct {
	Requests  int
	Elapsed   time.Duration
	Latencies []time.Duration // sorted
}

// PerSecond is the rate of answered requests.
func (r Outcome) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Quantile returns the latency that the share q of requests did not exceed.
func (r Outcome) Quantile(q float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	return r.Latencies[min(len(r.Latencies)-1, int(q*float64(len(r.Latencies))))]
}

// Run loads for d. Any answer but 200 is an error: a benchmark of refusals
// measures something else.
func (l Load) Run(ctx context.Context, d time.Duration) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	start := time.Now()
	latencies := make([][]time.Duration, l.Concurrency)
	faults := make([]error, l.Concurrency)
	var clients sync.WaitGroup
	for i := range l.Concurrency {
		clients.Go(func() {
			latencies[i], faults[i] = l.client(ctx, i*len(l.Requests)/l.Concurrency)
			if faults[i] != nil {
				cancel()
			}
		})
	}
	clients.Wait()
	if err := errors.Join(faults...); err != nil {
		return Outcome{}, err
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return Outcome{Requests: len(all), Elapsed: time.Since(start), Latencies: all}, nil
}

func (l Load) client(ctx context.Context, first int) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", l.Address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, 64<<10)
	var latencies []time.Duration
	for i := first; ctx.Err() == nil; i++ {
		began := time.Now()
		// A guard against an answer that never comes, far from any that does.
		if err := conn.SetDeadline(began.Add(30 * time.Second)); err != nil {
			return nil, err
		}
		if _, err := conn.Write(l.Requests[i%len(l.Requests)]); err != nil {
			return nil, err
		}
		if err := answer(reader); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(began))
	}
	return latencies, nil
}

// answer reads one response, with a length or in chunks.
func answer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(line), "HTTP/1.1 200") {
		return fmt.Errorf("answered %q", line)
	}
	length, chunked := 0, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		switch {
		case strings.EqualFold(name, "content-length"):
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		case strings.EqualFold(name, "transfer-encoding"):
			chunked = true
		}
	}
	for chunked {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 32)
		if err != nil {
			return err
		}
		if _, err := r.Discard(int(size) + 2); err != nil {
			return err
		}
		chunked = size > 0
	}
	if _, err := r.Discard(length); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// Callers makes one request for each of n callers, as an API client sends it:
// with what Envoy adds, wonted sees about 15 headers.
func Callers(n int, query string) [][]byte {
	agents := []string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		"okhttp/4.12.0", "python-requests/2.32.3", "acme-mobile/7.4.1 (iPhone; iOS 19.1; Scale/3.00)",
	}
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = fmt.Appendf(nil, "GET /v1/customers/%d/orders?%s HTTP/1.1\r\n"+
			"host: api.example.com\r\nuser-agent: %s\r\naccept: application/json\r\naccept-encoding: gzip\r\n"+
			"accept-language: en-GB,en;q=0.9\r\nx-api-key: key-%06d-4f0c9f8e7d6b5a43\r\n"+
			"cookie: session=s%06d8c1d2e3f40516273; theme=dark\r\nreferer: https://shop.example.com/account\r\n"+
			"cache-control: no-cache\r\n\r\n", 48000+i, query, agents[i%len(agents)], i, i)
	}
	return requests
}
