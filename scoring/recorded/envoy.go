package recorded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// envoyFields says under which keys an access log keeps what. Operators choose
// the keys of Envoy's JSON access logs, so these are Istio's, Envoy Gateway's,
// those of `wonted envoy config`, and what people make of the names of Envoy's
// format operators. Case does not matter, hyphens are underscores, and of
// several keys that are there the first listed counts.
//
// Any other key that begins with x- or x_ is the request header of that name,
// so that a rule like {kind: caller, header: x-api-key} finds it where the log
// keeps it. "-", "" and null are absent, as Envoy writes them. A line whose
// method is absent so, not for want of a key, is no exchange: Envoy has answered
// itself what it could not read as a request, with a 400.
var envoyFields = []struct {
	set  func(r *Exchange, v any) error
	keys []string
}{
	{setTime, []string{"start_time", "time", "timestamp", "@timestamp"}},
	{setMethod, methodKeys},
	{setPath, []string{"x_envoy_original_path", "x_envoy_origin_path", "path", "request_path", "uri", ":path"}},
	{setHost, []string{"authority", ":authority", "host"}},
	{setScheme, []string{"scheme", ":scheme"}},
	{setProtocol, []string{"protocol"}},
	{setSource, []string{"downstream_remote_address", "downstream_remote_address_without_port", "source_address", "client_ip", "remote_address"}},
	{header("user-agent"), []string{"user_agent"}},
	{header("referer"), []string{"referer"}},
	{setJA4, []string{"tls_ja4_fingerprint", "ja4"}},
	{setJWT, []string{"jwt"}}, // an object of verified claims
	{setReceived, []string{"bytes_received", "request_bytes"}},
	{setStatus, []string{"response_code", "status_code", "status"}},
	{setDetails, []string{"response_code_details"}},
	{setSent, []string{"bytes_sent", "response_bytes"}},
	{setRecords, []string{"records"}},
	{setDuration, []string{"duration", "duration_ms"}}, // milliseconds
}

var methodKeys = []string{"method", "request_method", ":method"}

// errNoRequest is a line of a log that is right, but about no request.
var errNoRequest = errors.New("without a request")

// parseEnvoy reads one line of an Envoy JSON access log.
func parseEnvoy(line []byte) (*Exchange, error) {
	if line[0] != '{' {
		return nil, errNoObject
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, plain(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value in the line")
	}
	fields := make(map[string]any, len(object))
	empty := false // the log has a method's key, and nothing under it
	for key, v := range object {
		key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
		if v != nil && v != "" && v != "-" {
			fields[key] = v
		} else if slices.Contains(methodKeys, key) {
			empty = true
		}
	}
	r := &Exchange{V: Version, Headers: map[string][]string{}}
	for _, f := range envoyFields {
		for _, key := range f.keys {
			if v, ok := fields[key]; ok {
				if err := f.set(r, v); err != nil {
					return nil, fmt.Errorf("%q: %w", key, err)
				}
				break
			}
		}
	}
	for key, v := range fields {
		if s, ok := v.(string); ok && strings.HasPrefix(key, "x_") {
			r.Headers[strings.ReplaceAll(key, "_", "-")] = []string{s}
		}
	}
	if r.Method == "" && empty && !r.Time.IsZero() {
		return nil, errNoRequest
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

func setMethod(r *Exchange, v any) error   { return text(&r.Method, v) }
func setPath(r *Exchange, v any) error     { return text(&r.Path, v) }
func setHost(r *Exchange, v any) error     { return text(&r.Host, v) }
func setSource(r *Exchange, v any) error   { return text(&r.Source, v) }
func setProtocol(r *Exchange, v any) error { return text(&r.Protocol, v) }
func setScheme(r *Exchange, v any) error   { return text(&r.Scheme, v) }
func setJA4(r *Exchange, v any) error      { return text(&r.JA4, v) }
func setReceived(r *Exchange, v any) error { return count(&r.RequestBytes, v) }
func setSent(r *Exchange, v any) error     { return count(&r.ResponseBytes, v) }
func setRecords(r *Exchange, v any) error  { return count(&r.Records, v) }

func setStatus(r *Exchange, v any) error {
	n, err := number(v)
	r.Status = int(n)
	return err
}

func setDuration(r *Exchange, v any) (err error) {
	r.DurationMS, err = number(v)
	return err
}

func setJWT(r *Exchange, v any) error {
	claims, ok := v.(map[string]any)
	if !ok {
		return errors.New("is no object of claims")
	}
	// Numbers as structpb takes them.
	b, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &r.JWT)
}

// setDetails finds our own denials: nothing can be learned from them, and the
// status, read before, is not the upstream's.
func setDetails(r *Exchange, v any) error {
	if s, _ := v.(string); strings.HasPrefix(s, "wonted") {
		r.Ended, r.Status = refused, 0
	}
	return nil
}

func header(name string) func(*Exchange, any) error {
	return func(r *Exchange, v any) error {
		var s string
		if err := text(&s, v); err != nil {
			return err
		}
		r.Headers[name] = []string{s}
		return nil
	}
}

// text takes a string, or a number as it is written.
func text(to *string, v any) error {
	switch v := v.(type) {
	case string:
		*to = v
	case json.Number:
		*to = v.String()
	default:
		return errors.New("is no string")
	}
	return nil
}

// number takes a number, or a string that holds one.
func number(v any) (float64, error) {
	var s string
	if err := text(&s, v); err != nil {
		return 0, errors.New("is no number")
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n, nil
}

func count(to **int64, v any) error {
	n, err := number(v)
	if err != nil {
		return err
	}
	c := int64(min(n, maxSize))
	*to = &c
	return nil
}

// setTime takes RFC 3339 (Envoy's default), or seconds or milliseconds since
// the epoch (%START_TIME(%s.%3f)%).
func setTime(r *Exchange, v any) error {
	if s, ok := v.(string); ok {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			r.Time = t
			return nil
		}
	}
	n, err := number(v)
	if err != nil {
		return fmt.Errorf("%v is no time: RFC 3339 or seconds since 1970", v)
	}
	if n > 1e11 {
		n /= 1000
	}
	if n < 0 || n > math.MaxUint32 {
		return fmt.Errorf("%v is no time from 1970 to 2106", v)
	}
	r.Time = time.UnixMicro(int64(math.Round(n * 1e6))).UTC() // a float64 holds no more
	return nil
}
