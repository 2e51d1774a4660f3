// Package recorded reads and writes exchanges that were kept: wonted's own
// JSONL, version 1, and reads what others keep: Envoy's JSON access logs, the
// Common and Combined Log Format, HAR. What it reads goes through the same code
// as live traffic, in four steps that a carrier of exchanges takes in this
// order:
//
//	r.Fill(ex)           the request, as Envoy would have sent it; Gate.Open
//	r.Answer(ex)         status and declared size; Gate.Answer
//	r.Body(ex)           size and records when the body has passed; Gate.Meter
//	r.End()              how it ended; Gate.Close
//
// And it writes live traffic down in the same form, without its secrets: a
// [Redactor] makes the line, a [File] keeps it.
//
// It imports scoring, payload to count the records of bodies that a HAR holds,
// and structpb for verified claims, which travel as Envoy sends them. Start
// reading at [Exchange]; [Decoder] reads files, a format a file.
package recorded

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/scoring"
)

// Version is the version of the JSONL format, in the field "v" of every line.
const Version = 1

// Exchange is one recorded exchange: one line of JSONL. All but V, Time,
// Method, Path and Status may be missing.
type Exchange struct {
	V        int       `json:"v"`
	Time     time.Time `json:"time"`         // at the request headers
	ID       string    `json:"id,omitempty"` // the decision id, 32 hex digits
	Method   string    `json:"method"`
	Scheme   string    `json:"scheme,omitempty"`
	Host     string    `json:"host,omitempty"`
	Path     string    `json:"path"` // with query
	Protocol string    `json:"protocol,omitempty"`

	Headers map[string][]string `json:"headers,omitempty"`
	Source  string              `json:"source,omitempty"` // Envoy's source.address: address, or address:port
	JA4     string              `json:"ja4,omitempty"`
	JWT     map[string]any      `json:"jwt,omitempty"` // claims that the proxy has verified

	PeerSAN  string                    `json:"peer_san,omitempty"` // of a client certificate that the proxy has verified
	Metadata map[string]map[string]any `json:"metadata,omitempty"` // of the proxy's other filters, by namespace

	RequestBytes    *int64              `json:"request_bytes,omitempty"`
	Status          int                 `json:"status"` // 0: the client was gone before there was one
	ResponseHeaders map[string][]string `json:"response_headers,omitempty"`
	ResponseBytes   *int64              `json:"response_bytes,omitempty"`
	Records         *int64              `json:"records,omitempty"`
	DurationMS      float64             `json:"duration_ms,omitempty"`
	RequestBody     string              `json:"request_body,omitempty"`
	Operation       string              `json:"operation,omitempty"` // what the body asked for: "tools/call/search"
	Ended           string              `json:"end,omitempty"`       // refused, truncated, unknown; "": as the status says
	Label           string              `json:"label,omitempty"`     // ground truth for benchmarks; detection never sees it
}

// What is larger than this is a mistake in the recording, and is read as this:
// 1 PiB, and a week.
const (
	maxSize     = 1 << 50
	maxDuration = 7 * 24 * time.Hour
)

// check refuses what no exchange can have been.
func (r *Exchange) check() error {
	switch {
	case r.V == 0:
		return errors.New(`"v" is missing; this program reads version 1`)
	case r.V != Version:
		return fmt.Errorf(`"v" is %d; this program reads version 1`, r.V)
	case r.Time.IsZero():
		return errors.New(`"time" is missing`)
	case r.Time.Year() < 1970 || r.Time.Unix() > math.MaxUint32:
		return fmt.Errorf(`"time" is %s; from 1970 to 2106 is possible`, r.Time.Format(time.RFC3339))
	case r.Method == "":
		return errors.New(`"method" is missing`)
	case r.Path == "":
		return errors.New(`"path" is missing`)
	case r.Status != 0 && (r.Status < 100 || r.Status > 599):
		return fmt.Errorf(`"status" is %d; 100 to 599 is possible, or 0 for none`, r.Status)
	case r.DurationMS < 0:
		return fmt.Errorf(`"duration_ms" is %v; it cannot be negative`, r.DurationMS)
	}
	for _, n := range []struct {
		name  string
		value *int64
	}{{"request_bytes", r.RequestBytes}, {"response_bytes", r.ResponseBytes}, {"records", r.Records}} {
		if n.value != nil && *n.value < -1 {
			return fmt.Errorf("%q is %d; it cannot be negative (-1 is unknown)", n.name, *n.value)
		}
	}
	return checkEnd(r.Ended)
}

// size is a recorded size, -1 where it is not known.
func size(n *int64) int64 {
	if n == nil || *n < 0 {
		return -1
	}
	return min(*n, maxSize)
}

// Duration is how long the exchange took; 0 unknown.
func (r *Exchange) Duration() time.Duration {
	ms := min(r.DurationMS, float64(maxDuration/time.Millisecond))
	return time.Duration(ms * float64(time.Millisecond))
}

// jwtNamespace is where Envoy's jwt_authn filter leaves the claims.
const jwtNamespace = "envoy.filters.http.jwt_authn"

// Fill sets the request of an exchange that has been Reset. Header names come
// in lower case and sorted: the recording does not keep their order.
func (r *Exchange) Fill(ex *scoring.Exchange) error {
	ex.Time = r.Time
	ex.Method, ex.Scheme, ex.Host = []byte(r.Method), []byte(r.Scheme), []byte(r.Host)
	ex.Path, ex.Protocol = []byte(r.Path), []byte(r.Protocol)
	ex.Source, ex.JA4 = []byte(r.Source), []byte(r.JA4)
	ex.RequestBytes, ex.ResponseBytes, ex.Records = size(r.RequestBytes), -1, -1

	ex.Headers = ex.Headers[:0]
	for name, values := range r.Headers {
		for _, v := range values {
			ex.Headers = append(ex.Headers, scoring.Header{Name: []byte(strings.ToLower(name)), Value: []byte(v)})
		}
	}
	slices.SortStableFunc(ex.Headers, func(a, b scoring.Header) int { return strings.Compare(string(a.Name), string(b.Name)) })

	ex.Operation = r.Operation
	ex.PeerURISAN = []byte(r.PeerSAN)
	ex.ID = scoring.ID{}
	if id, err := hex.DecodeString(r.ID); err == nil && len(id) == len(ex.ID) {
		ex.ID = scoring.ID(id)
	}
	ex.Metadata = ex.Metadata[:0]
	if len(r.JWT) > 0 {
		if err := attach(ex, jwtNamespace, map[string]any{"jwt": r.JWT}); err != nil {
			return fmt.Errorf(`"jwt": %w`, err)
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(r.Metadata)) {
		if err := attach(ex, namespace, r.Metadata[namespace]); err != nil {
			return fmt.Errorf(`"metadata": %w`, err)
		}
	}
	return nil
}

// attach adds a namespace of metadata, encoded as Envoy sends it.
func attach(ex *scoring.Exchange, namespace string, values map[string]any) error {
	s, err := structpb.NewStruct(values)
	if err != nil {
		return err
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(s)
	if err != nil {
		return err
	}
	ex.Metadata = append(ex.Metadata, scoring.Namespace{Name: []byte(namespace), Struct: b})
	return nil
}

// Answer sets what the response headers say: status, and the size where they
// declare one. A recording that kept no response headers stands for one that
// declared its size.
func (r *Exchange) Answer(ex *scoring.Exchange) {
	ex.Status, ex.Duration = r.Status, r.Duration()
	ex.ResponseBytes, ex.Records = r.declared(), -1
}

func (r *Exchange) declared() int64 {
	if len(r.ResponseHeaders) == 0 {
		return size(r.ResponseBytes)
	}
	for name, values := range r.ResponseHeaders {
		if !strings.EqualFold(name, "content-length") || len(values) == 0 {
			continue
		}
		if n, err := strconv.ParseInt(values[0], 10, 64); err == nil && n >= 0 {
			return min(n, maxSize)
		}
	}
	return -1
}

// Body sets size and records as they stand when the body has passed.
func (r *Exchange) Body(ex *scoring.Exchange) {
	if n := size(r.ResponseBytes); n >= 0 {
		ex.ResponseBytes = n
	}
	ex.Records = size(r.Records)
}
