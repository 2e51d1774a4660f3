package extproc

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/wonted-project/wonted/scoring"
)

// entryView is what wonted reads of an entry, in a form that can be compared.
type entryView struct {
	ID                                   string
	Awaited, Final                       bool
	Host                                 string
	Port                                 uint32
	Duration, Sent                       [2]int64
	Flags                                uint64
	Attempts                             uint32
	Metadata                             map[string]*structpb.Struct
	Protocol, Method                     int32
	Scheme, Authority, Path              string
	Agent, Referer, Forwarded, RequestID string
	Upload                               uint64
	Headers                              map[string]string
	Code                                 uint32
	Bytes                                uint64
	Details, GRPCStatus, JA4             string
}

// knownFlags are the fields of ResponseFlags that are bools.
var knownFlags = func() (mask uint64) {
	fields := (&datav3.ResponseFlags{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); f.Kind().String() == "bool" {
			mask |= 1 << f.Number()
		}
	}
	return mask
}()

// seenEntry is the view by the walk.
func seenEntry(t testing.TB, e *logEntry) entryView {
	v := entryView{
		Awaited: e.awaited, Final: e.final(), Host: string(e.remote.host), Port: uint32(e.remote.port),
		Duration: [2]int64{int64(e.duration.seconds), int64(int32(e.duration.nanos))}, Sent: [2]int64{int64(e.sent.seconds), int64(int32(e.sent.nanos))},
		Flags: e.flags & knownFlags, Attempts: uint32(e.attempts), Metadata: map[string]*structpb.Struct{},
		Protocol: int32(e.protocol), Method: int32(e.method), Scheme: string(e.scheme), Authority: string(e.authority), Path: string(e.path),
		Agent: string(e.agent), Referer: string(e.referer), Forwarded: string(e.forwarded), RequestID: string(e.requestID),
		Upload: e.requestBytes, Headers: map[string]string{}, Code: uint32(e.code), Bytes: e.bytes,
		Details: string(e.details), GRPCStatus: string(e.grpcStatus), JA4: string(e.ja4),
	}
	if e.marked {
		v.ID = e.id.String()
	}
	for _, ns := range e.metadata {
		s := &structpb.Struct{}
		if err := proto.Unmarshal(ns.Struct, s); err != nil {
			t.Fatal(err)
		}
		v.Metadata[string(ns.Name)] = s
	}
	for _, h := range e.headers {
		if _, twice := v.Headers[string(h.Name)]; twice {
			t.Fatalf("header %q twice", h.Name)
		}
		v.Headers[string(h.Name)] = string(h.Value)
	}
	return v
}

// meantEntry is the view by the generated types: the contract.
func meantEntry(e *datav3.HTTPAccessLogEntry) entryView {
	c, rq, rs := e.GetCommonProperties(), e.GetRequest(), e.GetResponse()
	a := c.GetDownstreamRemoteAddress().GetSocketAddress()
	//lint:ignore SA1019 another Envoy may still say it this way
	intermediate := c.GetIntermediateLogEntry()
	v := entryView{
		Final: !intermediate && slices.Contains([]datav3.AccessLogType{datav3.AccessLogType_NotSet, datav3.AccessLogType_DownstreamEnd}, c.GetAccessLogType()),
		Host:  a.GetAddress(), Port: a.GetPortValue(), Attempts: c.GetUpstreamRequestAttemptCount(),
		Duration: [2]int64{c.GetDuration().GetSeconds(), int64(c.GetDuration().GetNanos())},
		Sent:     [2]int64{c.GetTimeToLastDownstreamTxByte().GetSeconds(), int64(c.GetTimeToLastDownstreamTxByte().GetNanos())},
		Metadata: map[string]*structpb.Struct{}, Protocol: int32(e.GetProtocolVersion()), Method: int32(rq.GetRequestMethod()),
		Scheme: rq.GetScheme(), Authority: rq.GetAuthority(), Path: rq.GetPath(), Agent: rq.GetUserAgent(), Referer: rq.GetReferer(),
		Forwarded: rq.GetForwardedFor(), RequestID: rq.GetRequestId(), Upload: rq.GetRequestBodyBytes(), Headers: map[string]string{},
		Code: rs.GetResponseCode().GetValue(), Bytes: rs.GetResponseBodyBytes(), Details: rs.GetResponseCodeDetails(),
		GRPCStatus: rs.GetResponseTrailers()["grpc-status"], JA4: c.GetCustomTags()[ja4Key],
	}
	fields := c.GetResponseFlags().ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); knownFlags>>f.Number()&1 != 0 && c.GetResponseFlags().ProtoReflect().Get(f).Bool() {
			v.Flags |= 1 << f.Number()
		}
	}
	for name, s := range c.GetMetadata().GetFilterMetadata() {
		if name != namespace {
			v.Metadata[name] = s
			continue
		}
		if id := s.GetFields()["id"].GetStringValue(); len(id) == 32 {
			if raw, err := hex.DecodeString(id); err == nil {
				v.ID = scoring.ID(raw).String()
			}
		}
		v.Awaited = s.GetFields()["awaited"].GetBoolValue()
	}
	for name, value := range rq.GetRequestHeaders() {
		v.Headers[name] = value
	}
	return v
}

// agreeOnLog holds the contract for one encoded message.
func agreeOnLog(t *testing.T, b []byte) {
	t.Helper()
	var want alsv3.StreamAccessLogsMessage
	if err := proto.Unmarshal(b, &want); err != nil {
		// It may be read in part, and must not go wrong.
		var m logMessage
		m.decode(mem.BufferSlice{mem.SliceBuffer(b)})
		for raw := range m.entries {
			_ = new(logEntry).walk(raw)
		}
		return
	}
	for _, whole := range []bool{true, false} {
		var m logMessage
		m.decode(mem.BufferSlice{mem.SliceBuffer(b)})
		if m.err != nil {
			t.Fatalf("proto accepts what the walk refuses: %v\n%v", m.err, &want)
		}
		entries := want.GetHttpLogs().GetLogEntry()
		i := 0
		e := &logEntry{}
		for raw := range m.entries {
			if i == len(entries) {
				t.Fatalf("more than %d entries", i)
			}
			e.clear()
			e.whole = whole
			if err := e.walk(raw); err != nil {
				t.Fatalf("proto accepts what the walk refuses: %v\n%v", err, entries[i])
			}
			mean := meantEntry(entries[i])
			if !whole { // what only depth log reads
				mean.Metadata, mean.Headers = map[string]*structpb.Struct{}, map[string]string{}
				mean.Host, mean.Port, mean.Method, mean.JA4 = "", 0, 0, ""
				mean.Scheme, mean.Authority, mean.Path, mean.Agent, mean.Referer, mean.Forwarded, mean.RequestID = "", "", "", "", "", "", ""
			}
			if len(mean.Headers) > maxHeaders {
				continue
			}
			if diff := cmp.Diff(mean, seenEntry(t, e), protocmp.Transform()); diff != "" {
				t.Fatalf("entry %d, whole %v: -generated +walk\n%s\n%v\n%x", i, whole, diff, entries[i], b)
			}
			i++
		}
		if i != len(entries) {
			t.Fatalf("%d entries of %d", i, len(entries))
		}
	}
}

// FuzzLogWalk holds the walk's contract against the generated types.
func FuzzLogWalk(f *testing.F) {
	n := 0
	for _, b := range logCorpus(f) {
		f.Add(b)
		n++
	}
	if n < 20 {
		f.Fatalf("only %d seeds", n)
	}
	f.Fuzz(agreeOnLog)
}

// TestLogWalkAgrees runs the corpus, and what can be made of it by cutting and
// joining.
func TestLogWalkAgrees(t *testing.T) {
	all := logCorpus(t)
	ran := 0
	for _, a := range all {
		for _, b := range all {
			agreeOnLog(t, append(bytes.Clone(a), b...))
			ran++
		}
		for i := range a {
			agreeOnLog(t, a[:i])
			ran++
		}
	}
	t.Logf("%d messages of %d seeds", ran, len(all))
	if ran < 1000 {
		t.Fatalf("only %d messages", ran)
	}
}

// TestBadEntryCostsItself: what proto would refuse whole is read but for the
// entry that is bad.
func TestBadEntryCostsItself(t *testing.T) {
	good := marshalEntry(t, richEntry(t))
	entries := func(b []byte) []byte {
		for _, e := range [][]byte{good, {0x0a, 0x09}, good, bad(t)} {
			b = appendString(b, 1, e)
		}
		return b
	}
	var m logMessage
	m.decode(mem.BufferSlice{mem.SliceBuffer(nest(nil, 2, entries))})
	if proto.Unmarshal(m.buf.ReadOnlyData(), &alsv3.StreamAccessLogsMessage{}) == nil {
		t.Fatal("proto accepts it: the test proves nothing")
	}
	s := leanServer(&fakeGate{}, nil)
	(&logReader{server: s}).read(&m)
	if got := resultsOf(s); got["unreadable"] != 2 || got["unknown"] != 2 {
		t.Errorf("%v", got)
	}
}

// bad is an entry with a detail that is not UTF-8.
func bad(t *testing.T) []byte {
	b := nest(nil, 4, func(b []byte) []byte { return appendString(b, 6, "\xff") })
	if proto.Unmarshal(b, &datav3.HTTPAccessLogEntry{}) == nil {
		t.Fatal("proto accepts it")
	}
	return b
}

func marshalEntry(t testing.TB, e *datav3.HTTPAccessLogEntry) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// richEntry is about what Envoy sends for a request through ext_proc.
func richEntry(t testing.TB) *datav3.HTTPAccessLogEntry {
	socket := func(host string, port uint32) *corev3.Address {
		return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port}}}}
	}
	ms := func(n int) *durationpb.Duration { return durationpb.New(time.Duration(n) * time.Millisecond) }
	e := line(t, "0123456789abcdef0123456789abcdef", true, 200, 4096)
	c := e.CommonProperties
	c.DownstreamRemoteAddress, c.DownstreamLocalAddress, c.DownstreamDirectRemoteAddress = socket("203.0.113.9", 0), socket("10.0.0.1", 443), socket("10.0.0.7", 39490)
	c.UpstreamRemoteAddress, c.UpstreamLocalAddress = socket("10.0.3.9", 8080), socket("10.0.0.1", 50_000)
	c.StartTime = nil
	c.TimeToLastRxByte, c.TimeToFirstUpstreamTxByte, c.TimeToLastUpstreamTxByte = ms(1), ms(2), ms(2)
	c.TimeToFirstUpstreamRxByte, c.TimeToLastUpstreamRxByte, c.TimeToFirstDownstreamTxByte = ms(40), ms(60), ms(41)
	c.UpstreamCluster, c.RouteName, c.StreamId = "orders", "main", "b2c7a0de-0000-4000-8000-000000000001"
	c.DownstreamWireBytesSent, c.DownstreamWireBytesReceived, c.UpstreamWireBytesSent, c.UpstreamWireBytesReceived = 4400, 1400, 1500, 4300
	c.Metadata.FilterMetadata["envoy.filters.http.jwt_authn"] = structOf(t, map[string]any{"payload": map[string]any{"sub": "u-1", "aud": []any{"a"}}})
	c.TlsProperties = &datav3.TLSProperties{TlsSniHostname: "api.example.com", Ja3Fingerprint: "cd08e31494f9531f560d64c695473da9"}
	c.CustomTags = map[string]string{ja4Key: "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", "other": "x"}
	e.ProtocolVersion = datav3.HTTPAccessLogEntry_HTTP2
	e.Request = &datav3.HTTPRequestProperties{
		RequestMethod: corev3.RequestMethod_POST, Scheme: "https", Authority: "api.example.com", Path: "/v1/orders/8123?expand=items",
		UserAgent: "client/1.2 (+https://example.com)", ForwardedFor: "203.0.113.9", RequestId: "b2c7a0de-0000-4000-8000-000000000001",
		Referer: "https://example.com/", OriginalPath: "/forged", RequestHeadersBytes: 1200, RequestBodyBytes: 77,
		RequestHeaders: map[string]string{"x-api-key": "k-1", "cookie": "session=1"},
	}
	e.Response.ResponseHeadersBytes, e.Response.ResponseHeaders = 300, map[string]string{"server": "x"}
	return e
}

// logCorpus is what Envoy sends, and what proto allows though nobody sends it.
func logCorpus(t testing.TB) [][]byte {
	rich := richEntry(t)
	gone := line(t, "0123456789abcdef0123456789abcdef", true, 0, 0, flagged(func(f *datav3.ResponseFlags) {
		f.DownstreamConnectionTermination, f.DownstreamRemoteReset = true, true
		f.UnauthorizedDetails = &datav3.ResponseFlags_Unauthorized{Reason: 1}
	}))
	pipe := line(t, "short", false, 431, 0)
	pipe.CommonProperties.DownstreamRemoteAddress = &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: "/x"}}}
	pipe.CommonProperties.TimeToLastDownstreamTxByte = durationpb.New(-time.Second)
	trailers := line(t, "", false, 200, 1)
	trailers.Response.ResponseTrailers = map[string]string{"grpc-status": "5", "grpc-message": "no"}
	start := line(t, "0123456789abcdef0123456789abcdef", true, 200, 1)
	start.CommonProperties.AccessLogType = datav3.AccessLogType_DownstreamStart
	old := line(t, "zzzz456789abcdef0123456789abcdef", true, 200, 1)
	//lint:ignore SA1019 another Envoy may still say it this way
	old.CommonProperties.IntermediateLogEntry = true
	all := [][]byte{}
	for _, m := range []*alsv3.StreamAccessLogsMessage{
		batch(rich), batch(rich, gone, pipe, trailers, start, old), batch(&datav3.HTTPAccessLogEntry{}), batch(), {},
		{Identifier: &alsv3.StreamAccessLogsMessage_Identifier{LogName: "wonted", Node: &corev3.Node{Id: "n"}}, LogEntries: batch(gone).LogEntries},
		{LogEntries: &alsv3.StreamAccessLogsMessage_TcpLogs{TcpLogs: &alsv3.StreamAccessLogsMessage_TCPAccessLogEntries{LogEntry: []*datav3.TCPAccessLogEntry{{}}}}},
	} {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	for _, e := range oddEntries(t) {
		all = append(all, nest(nil, 2, func(b []byte) []byte { return appendString(b, 1, e) }))
	}
	return all
}

// oddEntries are encodings that no generated type would make.
func oddEntries(t testing.TB) [][]byte {
	type w = func([]byte) []byte
	str, num := appendString[string], appendVarint
	common := func(f w) []byte { return nest(nil, 1, f) }
	request := func(f w) []byte { return nest(nil, 3, f) }
	response := func(f w) []byte { return nest(nil, 4, f) }
	mark := func(f w) []byte {
		return common(func(b []byte) []byte {
			return nest(b, 17, func(b []byte) []byte {
				return nest(b, 1, func(b []byte) []byte { return nest(str(b, 1, namespace), 2, f) })
			})
		})
	}
	duration := func(n protowire.Number, values ...uint64) []byte {
		return common(func(b []byte) []byte {
			return nest(b, n, func(b []byte) []byte {
				for i, v := range values {
					b = num(b, protowire.Number(1+i%2), v)
				}
				return b
			})
		})
	}
	id := fmt.Sprintf("%032X", 1<<40)
	return [][]byte{
		slices.Concat(marshalEntry(t, richEntry(t)), marshalEntry(t, line(t, "", false, 404, 1))), // merged
		slices.Concat(duration(23, 1, 2, 3), duration(23, 1<<63), duration(12, 1<<40, 1<<40)),
		slices.Concat(mark(func(b []byte) []byte { return appendText(b, "id", id) }), mark(func(b []byte) []byte { return appendBool(b, "awaited", true) })),
		mark(func(b []byte) []byte { return appendBool(appendBool(b, "awaited", true), "awaited", false) }),
		mark(func(b []byte) []byte { return appendText(appendText(b, "id", id), "id", "x") }),
		mark(func(b []byte) []byte { return appendNumber(appendText(b, "awaited", "true"), "id", 5) }),
		mark(func(b []byte) []byte {
			return appendEntry(b, "awaited", func(b []byte) []byte { return str(num(b, 4, 1), 3, "x") })
		}),
		common(func(b []byte) []byte { // an address that becomes a pipe, and one again
			return nest(nest(b, 2, func(b []byte) []byte {
				return nest(nest(b, 1, func(b []byte) []byte { return num(str(b, 2, "10.0.0.1"), 3, 80) }), 2, func(b []byte) []byte { return b })
			}), 2, func(b []byte) []byte {
				return nest(b, 1, func(b []byte) []byte { return str(num(b, 3, 1<<32+5), 4, "http") })
			})
		}),
		common(func(b []byte) []byte {
			return nest(b, 16, func(b []byte) []byte { return num(num(num(b, 15, 2), 15, 0), 70, 1) })
		}),
		common(func(b []byte) []byte { return num(num(num(b, 24, 1<<33), 27, 2), 33, 1<<32+6) }),
		request(func(b []byte) []byte {
			for _, kv := range [][2]string{{"a", "1"}, {"b", "2"}, {"a", "3"}} {
				b = nest(b, 13, func(b []byte) []byte { return str(str(b, 2, kv[1]), 1, kv[0]) })
			}
			return nest(b, 13, func(b []byte) []byte { return b })
		}),
		request(func(b []byte) []byte { return num(num(str(str(b, 5, "/a"), 5, "/b"), 1, 1<<32+2), 12, 1<<63) }),
		response(func(b []byte) []byte {
			return nest(nest(b, 1, func(b []byte) []byte { return num(b, 1, 200) }), 1, func(b []byte) []byte { return num(b, 2, 5) })
		}),
		response(func(b []byte) []byte {
			return nest(num(b, 1, 7), 1, func(b []byte) []byte { return num(b, 1, 1<<32+7) })
		}),
		slices.Concat(num(nil, 2, 1<<32+3), num(nil, 1, 3), group(4, num(nil, 1, 1))),
		response(func(b []byte) []byte {
			for range 2 {
				b = nest(b, 5, func(b []byte) []byte { return str(str(b, 1, "grpc-status"), 2, "7") })
			}
			return nest(b, 5, func(b []byte) []byte { return str(b, 1, "grpc-status") })
		}),
		marshalEntry(t, &datav3.HTTPAccessLogEntry{Response: &datav3.HTTPResponseProperties{ResponseCode: wrapperspb.UInt32(0)}}),
	}
}

// BenchmarkLogWalk is one entry, as lean and depth log read it.
func BenchmarkLogWalk(b *testing.B) {
	raw := marshalEntry(b, richEntry(b))
	for _, whole := range []bool{false, true} {
		b.Run(map[bool]string{false: "end", true: "whole"}[whole], func(b *testing.B) {
			e := &logEntry{}
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				e.clear()
				e.whole = whole
				if err := e.walk(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var e datav3.HTTPAccessLogEntry
			if err := proto.Unmarshal(raw, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
