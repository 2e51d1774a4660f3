package extproc

import (
	"bytes"
	"fmt"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
)

// view is what wonted reads of a message, in a form that can be compared.
type view struct {
	Kind                                    kind
	Method, Scheme, Authority, Path, Status string
	Headers                                 [][2]string
	Body                                    string
	EndOfStream, Observability              bool
	Source, Protocol, URISAN, DNSSAN        string
	Subject                                 string
	NoMTLS, Invalid                         bool
	Metadata                                map[string]*structpb.Struct
	RequestMode, ResponseMode               int32
}

// seen is the view by the walk.
func seen(t testing.TB, m *message) view {
	p, a := &m.pseudo, &m.attributes
	v := view{
		Kind:   m.kind,
		Method: string(p.method), Scheme: string(p.scheme), Authority: string(p.authority), Path: string(p.path), Status: string(p.status),
		Body: string(m.body), EndOfStream: m.endOfStream, Observability: m.observability,
		Source: string(a.source), Protocol: string(a.protocol), URISAN: string(a.uriSAN), DNSSAN: string(a.dnsSAN), Subject: string(a.subject),
		NoMTLS: a.noMTLS, Invalid: a.invalidCertificate,
		Metadata: map[string]*structpb.Struct{}, RequestMode: int32(m.modes.request), ResponseMode: int32(m.modes.response),
	}
	for _, h := range m.headers {
		v.Headers = append(v.Headers, [2]string{string(h.Name), string(h.Value)})
	}
	for _, ns := range m.metadata {
		s := &structpb.Struct{}
		if err := proto.Unmarshal(ns.Struct, s); err != nil {
			t.Fatalf("namespace %q: %v", ns.Name, err)
		}
		if v.Metadata[string(ns.Name)] != nil {
			t.Fatalf("namespace %q twice", ns.Name)
		}
		v.Metadata[string(ns.Name)] = s
	}
	return v
}

// meant is the view by the generated types: the contract.
func meant(r *extprocv3.ProcessingRequest) view {
	v := view{Observability: r.GetObservabilityMode(), Metadata: map[string]*structpb.Struct{}}
	var headers *corev3.HeaderMap
	switch m := r.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_RequestHeaders:
		v.Kind, headers, v.EndOfStream = kindRequestHeaders, m.RequestHeaders.GetHeaders(), m.RequestHeaders.GetEndOfStream()
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		v.Kind, headers, v.EndOfStream = kindResponseHeaders, m.ResponseHeaders.GetHeaders(), m.ResponseHeaders.GetEndOfStream()
	case *extprocv3.ProcessingRequest_RequestBody:
		v.Kind, v.Body, v.EndOfStream = kindRequestBody, string(m.RequestBody.GetBody()), m.RequestBody.GetEndOfStream()
	case *extprocv3.ProcessingRequest_ResponseBody:
		v.Kind, v.Body, v.EndOfStream = kindResponseBody, string(m.ResponseBody.GetBody()), m.ResponseBody.GetEndOfStream()
	case *extprocv3.ProcessingRequest_RequestTrailers:
		v.Kind, headers = kindRequestTrailers, m.RequestTrailers.GetTrailers()
	case *extprocv3.ProcessingRequest_ResponseTrailers:
		v.Kind, headers = kindResponseTrailers, m.ResponseTrailers.GetTrailers()
	}
	for _, h := range headers.GetHeaders() {
		value := string(h.GetRawValue())
		if value == "" {
			value = h.GetValue()
		}
		switch h.GetKey() {
		case ":method":
			v.Method = value
		case ":scheme":
			v.Scheme = value
		case ":authority":
			v.Authority = value
		case ":path":
			v.Path = value
		case ":status":
			v.Status = value
		default:
			v.Headers = append(v.Headers, [2]string{h.GetKey(), value})
		}
	}
	a := r.GetAttributes()[attributesKey].GetFields()
	no := func(v *structpb.Value) bool {
		b, ok := v.GetKind().(*structpb.Value_BoolValue)
		return ok && !b.BoolValue
	}
	v.Source, v.Protocol = a["source.address"].GetStringValue(), a["request.protocol"].GetStringValue()
	v.URISAN = a["connection.uri_san_peer_certificate"].GetStringValue()
	v.DNSSAN = a["connection.dns_san_peer_certificate"].GetStringValue()
	v.Subject = a["connection.subject_peer_certificate"].GetStringValue()
	v.NoMTLS, v.Invalid = no(a["connection.mtls"]), no(a["connection.peer_certificate_valid"])
	v.RequestMode, v.ResponseMode = int32(r.GetProtocolConfig().GetRequestBodyMode()), int32(r.GetProtocolConfig().GetResponseBodyMode())
	for name, s := range r.GetMetadataContext().GetFilterMetadata() {
		v.Metadata[name] = s
	}
	return v
}

func walked(b []byte) *message {
	m := newMessage()
	m.decode(mem.BufferSlice{mem.SliceBuffer(b)})
	return m
}

// agree holds the contract for one encoded message.
func agree(t *testing.T, b []byte) {
	t.Helper()
	m := walked(b)
	defer m.release()
	var r extprocv3.ProcessingRequest
	if err := proto.Unmarshal(b, &r); err != nil {
		return // the walk may be more lenient where it does not read
	}
	if m.err != nil {
		t.Fatalf("proto accepts what the walk refuses: %v\n%v", m.err, &r)
	}
	if diff := cmp.Diff(meant(&r), seen(t, m), protocmp.Transform()); diff != "" {
		t.Fatalf("-generated +walk\n%s\n%v\n%x", diff, &r, b)
	}
}

// FuzzWalk holds the walk's contract against the generated types.
func FuzzWalk(f *testing.F) {
	n := 0
	for _, b := range corpus(f) {
		f.Add(b)
		n++
	}
	if n < 30 {
		f.Fatalf("only %d seeds", n)
	}
	f.Fuzz(agree)
}

// TestWalkAgrees runs the corpus, and everything that can be made of it by
// cutting and joining: encoded messages merge by concatenation.
func TestWalkAgrees(t *testing.T) {
	all := corpus(t)
	ran := 0
	for _, a := range all {
		for _, b := range all {
			agree(t, append(bytes.Clone(a), b...))
			ran++
		}
		for i := range a {
			agree(t, a[:i])
			ran++
		}
	}
	t.Logf("%d messages of %d seeds", ran, len(all))
	if ran < 1000 {
		t.Fatalf("only %d messages", ran)
	}
}

// TestWalkRefuses what is badly framed, or not text where it reads text.
func TestWalkRefuses(t *testing.T) {
	bad := func(name string, b []byte) {
		t.Helper()
		m := walked(b)
		defer m.release()
		if m.err == nil {
			t.Errorf("%s: accepted", name)
		}
		if err := proto.Unmarshal(b, &extprocv3.ProcessingRequest{}); err == nil {
			t.Errorf("%s: proto accepts it, so this test is wrong", name)
		}
	}
	header := func(number protowire.Number, s string) []byte {
		return nest(nil, 2, func(b []byte) []byte {
			return nest(b, 1, func(b []byte) []byte {
				return nest(b, 1, func(b []byte) []byte { return appendString(b, number, s) })
			})
		})
	}
	bad("a cut tag", []byte{0x80})
	bad("field number 0", []byte{0x02, 0x00})
	bad("length past the end", []byte{0x12, 0x05, 0x00})
	bad("an end group", []byte{0x0c})
	bad("a group without end", []byte{0x0b, 0x08, 0x01})
	bad("wire type 7", []byte{0x57})
	bad("an overlong varint", bytes.Repeat([]byte{0xff}, 11))
	bad("bad framing in headers", []byte{0x12, 0x02, 0x0a, 0x09})
	bad("bad UTF-8 in a key", header(1, "\xff"))
	bad("bad UTF-8 in a value", header(2, "\xff"))
	bad("bad UTF-8 in a namespace", nest(nil, 8, func(b []byte) []byte {
		return nest(b, 1, func(b []byte) []byte { return appendString(b, 1, "\xff") })
	}))
	bad("bad framing in protocol_config", []byte{0x5a, 0x01, 0x08})
	bad("bad UTF-8 in source.address", attribute(attributesKey, "source.address", "\xff"))
	if m := walked(header(3, "\xff\xfe")); m.err != nil || string(m.headers[0].Value) != "\xff\xfe" {
		t.Errorf("a raw value may be any bytes: %v", m.err)
	}
}

// TestWalkManyBuffers: a message that arrives in pieces is the same message.
func TestWalkManyBuffers(t *testing.T) {
	b := corpus(t)[0]
	want := walked(b)
	defer want.release()
	for i := range b {
		m := newMessage()
		m.decode(mem.BufferSlice{mem.SliceBuffer(b[:i]), mem.SliceBuffer(b[i:])})
		if diff := cmp.Diff(seen(t, want), seen(t, m), protocmp.Transform()); diff != "" || m.err != nil {
			t.Fatalf("cut at %d: %v\n%s", i, m.err, diff)
		}
		m.release()
	}
}

// TestMessageFreesOnce holds the reference count of a pooled buffer: one while
// the message lives, none after.
func TestMessageFreesOnce(t *testing.T) {
	pool := &countingPool{}
	for range 3 {
		data := nest(nil, 5, func(b []byte) []byte { return appendString(b, 1, bytes.Repeat([]byte("x"), 4000)) })
		slice := mem.BufferSlice{mem.NewBuffer(&data, pool)}
		m := newMessage()
		m.decode(slice)
		slice.Free() // as grpc-go does when Unmarshal has returned
		if m.err != nil || len(m.body) != 4000 {
			t.Fatalf("%d bytes, %v", len(m.body), m.err)
		}
		if pool.put != 0 {
			t.Fatal("freed while the message points into it")
		}
		m.clear()
		if pool.put != 1 {
			t.Fatalf("freed %d times", pool.put)
		}
		m.clear()
		m.release()
		pool.put = 0
	}
}

// TestBodiesAreNotHeld: a chunk's buffer is free while the next is awaited; the
// request's is held as long as the exchange.
func TestBodiesAreNotHeld(t *testing.T) {
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}
	s := newServer(g, nil)
	chunk := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{
		ResponseBody: &extprocv3.HttpBody{Body: bytes.Repeat([]byte("x"), 4000)}}}
	request := rq(lines(":method", "GET", "x-long", string(bytes.Repeat([]byte("x"), 4000))), true)
	pools := make([]countingPool, 4)
	stream := &script{messages: [][]byte{marshal(t, request), marshal(t, words["rsh"]), marshal(t, chunk), marshal(t, chunk)}}
	stream.wrap = func(i int, b []byte) mem.Buffer { return mem.NewBuffer(&b, &pools[i]) }
	stream.before = func(i int) {
		if i == 3 && (pools[0].put != 0 || pools[2].put != 1) {
			t.Errorf("request freed %d times, first chunk %d", pools[0].put, pools[2].put)
		}
	}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 2, 3} {
		if pools[i].put != 1 {
			t.Errorf("message %d freed %d times", i, pools[i].put)
		}
	}
}

type countingPool struct{ put int }

func (p *countingPool) Get(int) *[]byte { panic("not asked for") }
func (p *countingPool) Put(*[]byte)     { p.put++ }

func TestWalkAllocatesNothing(t *testing.T) {
	b := typicalRequest(t)
	data := mem.BufferSlice{mem.SliceBuffer(b)}
	m := newMessage()
	if n := testing.AllocsPerRun(1000, func() { m.decode(data) }); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
	if m.err != nil || len(m.headers) != 11 || string(m.attributes.source) != "203.0.113.9:39490" {
		t.Errorf("walked something else: %v, %d headers", m.err, len(m.headers))
	}
}

func BenchmarkWalk(b *testing.B) {
	raw := typicalRequest(b)
	b.Run("walk", func(b *testing.B) {
		data := mem.BufferSlice{mem.SliceBuffer(raw)}
		m := newMessage()
		b.ReportAllocs()
		for b.Loop() {
			m.decode(data)
		}
	})
	b.Run("generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var r extprocv3.ProcessingRequest
			if err := proto.Unmarshal(raw, &r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func marshal(t testing.TB, r *extprocv3.ProcessingRequest) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func structOf(t testing.TB, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines makes a header map: "name", "value", …, as raw values.
func lines(pairs ...string) *corev3.HeaderMap {
	m := &corev3.HeaderMap{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m.Headers = append(m.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return m
}

// typicalRequest has 15 headers and 3 attributes.
func typicalRequest(t testing.TB) []byte {
	h := lines(":method", "GET", ":scheme", "https", ":authority", "api.example.com", ":path", "/v1/orders/8123?expand=items")
	for i := range 11 {
		h.Headers = append(h.Headers, &corev3.HeaderValue{Key: fmt.Sprintf("x-header-%02d", i), RawValue: []byte("a value of common length")})
	}
	return marshal(t, &extprocv3.ProcessingRequest{
		Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: &extprocv3.HttpHeaders{Headers: h, EndOfStream: true}},
		Attributes: map[string]*structpb.Struct{attributesKey: structOf(t, map[string]any{
			"source.address": "203.0.113.9:39490", "request.protocol": "HTTP/2", "connection.mtls": false,
		})},
	})
}
