package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// outcome is what a client saw of one request.
type outcome struct {
	Status     int           `json:"status"`
	Records    int           `json:"records"`                    // read whole before the response ended
	Broken     bool          `json:"broken"`                     // the response ended before its end
	RetryAfter string        `json:"retry_after,omitempty"`      // as answered
	Challenge  string        `json:"www_authenticate,omitempty"` // as answered
	Decision   string        `json:"decision_id,omitempty"`      // of a refusal
	Took       time.Duration `json:"-"`
	Err        error         `json:"-"` // there was no response at all
}

// fine is an answer in full.
func (o outcome) fine() bool { return o.Err == nil && o.Status == http.StatusOK && !o.Broken }

// client speaks to one Envoy, as the load balancer in front of it would.
type client struct {
	base string // http://127.0.0.1:port
	http *http.Client
}

// newClient keeps its own connections, so that no client waits for another's.
func newClient(base string) *client {
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	return &client{base: base, http: &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			MaxIdleConnsPerHost: 4,
			DisableCompression:  true, // a compressed body is metered in bytes alone
		},
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// do sends r and reads the response as far as it comes.
func (c *client) do(ctx context.Context, r request) outcome {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+r.Path, nil)
	if err != nil {
		return outcome{Err: err}
	}
	req.Header.Set("x-api-key", r.Key)
	req.Header.Set("user-agent", r.Agent)
	req.Header.Set("x-forwarded-for", r.From)
	start := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return outcome{Err: err, Took: time.Since(start)}
	}
	defer resp.Body.Close()
	o := outcome{
		Status:     resp.StatusCode,
		RetryAfter: resp.Header.Get("retry-after"),
		Challenge:  resp.Header.Get("www-authenticate"),
	}
	if resp.StatusCode == http.StatusOK {
		o.Records, err = countRecords(resp.Body)
		o.Broken = err != nil
	} else {
		var problem struct {
			Decision string `json:"decision_id"`
		}
		// A refusal without a readable body is still a refusal.
		_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&problem)
		o.Decision = problem.Decision
	}
	o.Took = time.Since(start)
	return o
}

// countRecords reads a body to its end and counts its records: the elements of
// an array, else the values one after the other. What was not read whole is
// not counted.
func countRecords(body io.Reader) (int, error) {
	decoder := json.NewDecoder(body)
	first, err := decoder.Token()
	if err != nil {
		return 0, err
	}
	if first != json.Delim('[') {
		// The decoder is inside the first value: leave it, then count on.
		if err := leave(decoder); err != nil {
			return 0, err
		}
		return countValues(decoder, 1)
	}
	n := 0
	for decoder.More() {
		var record json.RawMessage
		if err := decoder.Decode(&record); err != nil {
			return n, err
		}
		n++
	}
	// The bracket that closes the array, then the end of the body: a transfer
	// that was cut has neither.
	if _, err := decoder.Token(); err != nil {
		return n, err
	}
	_, err = io.Copy(io.Discard, io.MultiReader(decoder.Buffered(), body))
	return n, err
}

// leave reads to the end of the object whose opening brace was read.
func leave(decoder *json.Decoder) error {
	for depth := 1; depth > 0; {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

func countValues(decoder *json.Decoder, n int) (int, error) {
	for {
		var record json.RawMessage
		switch err := decoder.Decode(&record); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
		n++
	}
}

// short is a path as a person would say it.
func short(path string) string { return strings.TrimPrefix(path, "/v1") }
