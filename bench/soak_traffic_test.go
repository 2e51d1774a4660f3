//go:build soak

package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// soakPolicy refuses what asks for it, and cuts what is large.
const soakPolicy = `package wonted.policy

deny contains "asked for" if input.request.headers["x-soak"] == "deny"

response_budget contains {"records": 100}
`

// soakUpstream answers n records, with their length where declare is asked for;
// with abort it breaks off in the middle. It keeps nothing.
func soakUpstream(t *testing.T) string {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n := 10
		_, _ = fmt.Sscan(r.URL.Query().Get("n"), &n)
		w.Header().Set("content-type", "application/json")
		body := "[" + strings.Repeat(`{"id":1},`, n-1) + `{"id":1}]`
		if r.URL.Query().Has("declare") {
			w.Header().Set("content-length", fmt.Sprint(len(body)))
		}
		half := len(body) / 2
		_, _ = io.WriteString(w, body[:half])
		if !r.URL.Query().Has("declare") {
			_ = http.NewResponseController(w).Flush()
		}
		if r.URL.Query().Has("abort") {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, body[half:])
	})}
	address := envoytest.FreeAddress(t)
	server.Addr = address
	go server.ListenAndServe()
	t.Cleanup(func() { server.Close() })
	return address
}

// soakTraffic is what clients do all day.
type soakTraffic struct {
	url             string
	tokens          chan struct{}
	sent, disturbed atomic.Int64
	first           atomic.Value
}

// pace hands out the rate. What the machine does not keep up with is left out.
func (s *soakTraffic) pace(ctx context.Context, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case s.tokens <- struct{}{}:
		default:
		}
	}
}

func (s *soakTraffic) client(ctx context.Context) {
	transport := &http.Transport{MaxIdleConnsPerHost: 2}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.tokens:
			s.request(client)
		}
	}
}

// request is one of: plain (most), of a stranger, over a new connection, an
// upload, refused, cut, broken off by the API or by the client.
func (s *soakTraffic) request(client *http.Client) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	method, key, query, body := http.MethodGet, fmt.Sprintf("key-%04d", rand.IntN(1000)), "n=10&declare=1", io.Reader(nil)
	chance, plain := rand.IntN(100), false
	switch {
	case chance < 5:
		key = fmt.Sprintf("stranger-%x", rand.Uint64())
	case chance < 10:
		query = "n=60"
	case chance < 13:
		method, body = http.MethodPost, strings.NewReader(strings.Repeat("x", rand.IntN(200_000)))
	case chance < 16:
		query = "n=10000" // over the budget
	case chance < 19:
		query = "n=50&abort=1"
	case chance >= 30:
		plain = true
	}
	r, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("%s/v1/orders/%d?%s", s.url, rand.IntN(5000), query), body)
	if err != nil {
		panic(err)
	}
	r.Header.Set("x-api-key", key)
	switch {
	case chance >= 19 && chance < 22:
		r.Header.Set("x-soak", "deny")
	case chance >= 22 && chance < 26:
		r.Close = true
	}
	s.sent.Add(1)
	response, err := client.Do(r)
	if err == nil {
		defer response.Body.Close()
		if chance >= 26 && chance < 30 {
			return // leaves without reading
		}
		_, err = io.Copy(io.Discard, response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("answered %s", response.Status)
		}
	}
	if plain && err != nil {
		s.first.CompareAndSwap(nil, err.Error())
		s.disturbed.Add(1)
	}
}
