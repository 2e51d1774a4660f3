package demo

import (
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/payload"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// line takes requests through the event-time path: identity, gate, scorer and
// policy as the live stream does, with the time as a parameter and the sample
// API answering in the same goroutine. One goroutine owns it.
type line struct {
	store *profile.Store
	gate  *policy.Gate
	who   *identity.Resolver
	api   http.Handler
	meter payload.RecordMeter
	c     policy.Case
	next  uint64 // makes exchange ids
}

// newLine starts with an empty store.
func newLine(secret identity.Secret, zone *time.Location, mode policy.Mode, sink policy.Sink) (*line, error) {
	who, err := identity.New(rules, secret, trustedProxies)
	if err != nil {
		return nil, err
	}
	decider, err := rego.Default()
	if err != nil {
		return nil, err
	}
	store := profile.New(profile.Default())
	scorer := scoring.New(scoring.Config{Store: store, Routes: route.New(), Location: zone})
	gate := policy.NewGate(policy.Config{
		Scorer: scorer, Decider: decider, Mode: mode, Sink: sink, Log: zerolog.Nop(), Location: zone,
		Deadline: -1, // event time does not pass while a decision is made
	})
	return &line{store: store, gate: gate, who: who, api: api{}.handler()}, nil
}

// do takes one request at one time from its headers to its end, and returns
// what its client would have seen.
func (l *line) do(r request, now time.Time) outcome {
	l.c.Reset()
	l.fill(&l.c.Exchange, r, now)
	l.who.Resolve(&l.c.Exchange)
	verdict := l.gate.Open(&l.c)
	if !verdict.Pass {
		return l.refused(verdict, now)
	}
	answer := &reply{header: http.Header{}}
	l.api.ServeHTTP(answer, &http.Request{
		Method: http.MethodGet, URL: parse(r.Path), Header: http.Header{"X-Api-Key": {r.Key}},
	})
	return l.respond(answer, now)
}

// respond is the way back: the headers, then the body chunk by chunk if the
// gate asks for it.
func (l *line) respond(answer *reply, now time.Time) outcome {
	ex := &l.c.Exchange
	ex.Status, ex.ResponseBytes, ex.Records = answer.status, answer.declared(), -1
	verdict := l.gate.Answer(&l.c, now)
	if !verdict.Pass {
		return l.refused(verdict, now)
	}
	o := outcome{Status: answer.status}
	l.meter.Reset([]byte(answer.header.Get("content-type")), nil)
	bytes := int64(0)
	for _, chunk := range answer.chunks {
		l.meter.Write(chunk)
		bytes += int64(len(chunk))
		if verdict.Body {
			ex.ResponseBytes, ex.Records = bytes, l.meter.Records()
			if verdict := l.gate.Meter(&l.c, now); !verdict.Pass {
				o.Broken = true
				l.gate.Close(&l.c, scoring.Truncated, now)
				return o
			}
		}
		o.Records = int(max(0, l.meter.Records())) // this chunk has gone to the client
	}
	l.gate.Close(&l.c, scoring.Answered, now)
	return o
}

func (l *line) refused(verdict policy.Verdict, now time.Time) outcome {
	o := outcome{Status: verdict.HTTPStatus(), Decision: l.c.Exchange.ID.String()}
	if verdict.RetryAfter > 0 {
		o.RetryAfter = strconv.Itoa(int(verdict.RetryAfter / time.Second))
	}
	if verdict.Action == policy.Challenge {
		o.Challenge = "realm=" + verdict.Realm
	}
	l.gate.Close(&l.c, scoring.Refused, now)
	return o
}

// fill sets what Envoy would send of the request.
func (l *line) fill(ex *scoring.Exchange, r request, now time.Time) {
	l.next++
	binary.BigEndian.PutUint64(ex.ID[8:], l.next)
	ex.Time = now
	ex.Method, ex.Scheme, ex.Host = []byte("GET"), []byte("http"), []byte("api.example")
	ex.Path, ex.Protocol = []byte(r.Path), []byte("HTTP/1.1")
	ex.Headers = append(ex.Headers[:0],
		scoring.Header{Name: []byte("x-api-key"), Value: []byte(r.Key)},
		scoring.Header{Name: []byte("user-agent"), Value: []byte(r.Agent)},
		scoring.Header{Name: []byte("x-forwarded-for"), Value: []byte(r.From + ",127.0.0.1")})
	ex.Source = []byte(r.From + ":0")
	ex.ResponseBytes, ex.Records = -1, -1
}

// parse reads a path of the demo's own.
func parse(path string) *url.URL {
	before, query, _ := strings.Cut(path, "?")
	return &url.URL{Path: before, RawQuery: query}
}

// reply keeps a response in the chunks in which it was flushed.
type reply struct {
	header http.Header
	status int
	chunks [][]byte
	open   []byte
}

func (r *reply) Header() http.Header { return r.header }

func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *reply) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	r.open = append(r.open, b...)
	return len(b), nil
}

func (r *reply) Flush() {
	if len(r.open) > 0 {
		r.chunks = append(r.chunks, r.open)
		r.open = nil
	}
}

// declared is the length that the headers tell, -1 where they do not.
func (r *reply) declared() int64 {
	r.Flush()
	n, err := strconv.ParseInt(r.header.Get("content-length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
