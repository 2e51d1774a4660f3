package extproc

import (
	"slices"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/structpb"
)

// corpus is what Envoy sends, and what proto allows though nobody sends it.
// The first is the richest.
func corpus(t testing.TB) [][]byte {
	requestHeaders := func(h *corev3.HeaderMap, eos bool) *extprocv3.ProcessingRequest {
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
			RequestHeaders: &extprocv3.HttpHeaders{Headers: h, EndOfStream: eos},
		}}
	}
	rich := requestHeaders(lines(
		":method", "POST", ":scheme", "https", ":authority", "api.example.com", ":path", "/v1/orders?limit=10",
		":protocol", "websocket", "x-dup", "1", "x-dup", "2", "x-empty", "", "x-raw", "\xff\xfe\x80abc", "cookie", "a=1; b=2",
	), true)
	rich.Request.(*extprocv3.ProcessingRequest_RequestHeaders).RequestHeaders.Headers.Headers[9].Value = "both are set"
	rich.ObservabilityMode = true
	rich.ProtocolConfig = &extprocv3.ProtocolConfiguration{ResponseBodyMode: filterv3.ProcessingMode_STREAMED}
	rich.Attributes = map[string]*structpb.Struct{
		attributesKey: structOf(t, map[string]any{
			"source.address": "203.0.113.9:39490", "source.port": 39490, "request.id": "b2c7", "request.protocol": "HTTP/1.1",
			"connection.uri_san_peer_certificate": "spiffe://td/ns/x/sa/y", "connection.dns_san_peer_certificate": "y.example.com",
			"connection.subject_peer_certificate": "CN=y", "connection.mtls": true, "connection.peer_certificate_valid": false,
		}),
		"another": structOf(t, map[string]any{"source.address": "198.51.100.1:1"}),
	}
	rich.MetadataContext = &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{
		"envoy.filters.http.jwt_authn": structOf(t, map[string]any{"payload": map[string]any{"sub": "u-1", "aud": []any{"a", "b"}}}),
		"empty":                        {},
	}}

	body := func(b string, eos bool) *extprocv3.HttpBody {
		return &extprocv3.HttpBody{Body: []byte(b), EndOfStream: eos}
	}
	plain := requestHeaders(lines(":method", "GET"), false)
	plain.GetRequestHeaders().Headers.Headers[0] = &corev3.HeaderValue{Key: ":method", Value: "only value"}
	messages := []*extprocv3.ProcessingRequest{
		rich,
		plain,
		{},
		{ObservabilityMode: true},
		requestHeaders(nil, true),
		{Request: &extprocv3.ProcessingRequest_RequestHeaders{}},
		{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extprocv3.HttpHeaders{
			Headers: lines(":status", "200", "content-type", "application/json", "content-length", "12"), EndOfStream: true,
		}}},
		{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: body("name=x", true)}},
		{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: body(`[{"id":1},`, false)}},
		{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: body("", true)}},
		{Request: &extprocv3.ProcessingRequest_RequestTrailers{RequestTrailers: &extprocv3.HttpTrailers{Trailers: lines("a", "b")}}},
		{Request: &extprocv3.ProcessingRequest_ResponseTrailers{ResponseTrailers: &extprocv3.HttpTrailers{Trailers: lines("grpc-status", "5")}}},
		{Attributes: map[string]*structpb.Struct{attributesKey: structOf(t, map[string]any{
			"source.address": 5, "request.protocol": nil, "connection.mtls": "false", "connection.subject_peer_certificate": []any{"CN=x"},
		})}},
		{ProtocolConfig: &extprocv3.ProtocolConfiguration{
			RequestBodyMode: filterv3.ProcessingMode_FULL_DUPLEX_STREAMED, ResponseBodyMode: filterv3.ProcessingMode_BUFFERED_PARTIAL,
			SendBodyWithoutWaitingForHeaderResponse: true,
		}},
		{FlowControlInit: &extprocv3.ProcessingRequest_FlowControlInit{}},
	}
	var all [][]byte
	for _, m := range messages {
		all = append(all, marshal(t, m))
	}
	return append(all, oddities()...)
}

// oddities are encodings that no generated type would make.
func oddities() [][]byte {
	str, msg, num := appendString[string], nest, appendVarint
	all := [][]byte{
		// Unknown fields of every wire type, groups inside groups.
		slices.Concat(num(nil, 100, 7), str(nil, 101, "x"), protowire.AppendFixed64(protowire.AppendTag(nil, 102, protowire.Fixed64Type), 1),
			protowire.AppendFixed32(protowire.AppendTag(nil, 103, protowire.Fixed32Type), 1),
			group(104, slices.Concat(num(nil, 2, 1), group(105, str(nil, 2, "in"))))),
		// Known fields of another wire type, which are unknown ones then.
		slices.Concat(num(nil, 2, 1), num(nil, 5, 1), num(nil, 8, 1), num(nil, 9, 1), str(nil, 10, "x"), group(3, num(nil, 1, 1))),
		protowire.AppendFixed32(protowire.AppendTag(nil, 2, protowire.Fixed32Type), 1),
		// A flag given twice, and one that is 2.
		slices.Concat(num(nil, 10, 1), num(nil, 10, 0)),
		num(nil, 10, 2),
		// The same member of the oneof twice: merged.
		slices.Concat(headers(2, "a", "1"), headers(2, "b", "2"), msg(nil, 2, func(b []byte) []byte { return num(b, 3, 1) })),
		slices.Concat(msg(nil, 5, func(b []byte) []byte { return str(b, 1, "first") }), msg(nil, 5, func(b []byte) []byte { return num(b, 2, 1) })),
		// Another between: the first is forgotten.
		slices.Concat(headers(2, "a", "1"), headers(3, ":status", "200"), headers(2, "b", "2")),
		slices.Concat(headers(2, "a", "1"), num(nil, 10, 1), msg(nil, 4, func(b []byte) []byte { return str(b, 1, "body") })),
		// Two header maps in one message.
		msg(nil, 3, func(b []byte) []byte {
			for _, name := range []string{"a", ":status"} {
				b = msg(b, 1, func(b []byte) []byte { return header(b, name, "v") })
			}
			return b
		}),
		// A header with its fields reversed and repeated.
		msg(nil, 2, func(b []byte) []byte {
			return msg(b, 1, func(b []byte) []byte {
				return msg(b, 1, func(b []byte) []byte {
					b = str(b, 3, "raw, early")
					b = str(b, 2, "value")
					b = str(b, 1, "first-name")
					b = str(b, 3, "raw, late")
					b = num(b, 2, 9)
					return str(b, 1, "last-name")
				})
			})
		}),
		// A raw value that is taken back.
		msg(nil, 2, func(b []byte) []byte {
			return msg(b, 1, func(b []byte) []byte {
				return msg(b, 1, func(b []byte) []byte { return str(str(str(str(nil, 1, "a"), 3, "raw"), 2, "value"), 3, "") })
			})
		}),
		// Map entries: value before key, key twice, no key, no value.
		msg(nil, 9, func(b []byte) []byte {
			b = msg(b, 2, func(b []byte) []byte { return source(b, "1.1.1.1:1") })
			return str(b, 1, attributesKey)
		}),
		msg(nil, 9, func(b []byte) []byte { return str(str(b, 1, "x"), 1, attributesKey) }),
		msg(nil, 9, func(b []byte) []byte { return msg(b, 2, func(b []byte) []byte { return source(b, "1.1.1.1:1") }) }),
		// An entry given twice: the last wins, whole.
		slices.Concat(attribute(attributesKey, "source.address", "1.1.1.1:1"), attribute(attributesKey, "request.protocol", "HTTP/2")),
		// A value given twice in one entry: merged.
		msg(nil, 9, func(b []byte) []byte {
			b = str(b, 1, attributesKey)
			b = msg(b, 2, func(b []byte) []byte { return source(b, "1.1.1.1:1") })
			return msg(b, 2, func(b []byte) []byte { return source(b, "2.2.2.2:2") })
		}),
		// A Value of several kinds: the last wins.
		msg(nil, 9, func(b []byte) []byte {
			b = str(b, 1, attributesKey)
			return msg(b, 2, func(b []byte) []byte {
				return appendEntry(b, "source.address", func(b []byte) []byte { return num(str(b, 3, "1.1.1.1:1"), 4, 1) })
			})
		}),
		msg(nil, 9, func(b []byte) []byte {
			b = str(b, 1, attributesKey)
			return msg(b, 2, func(b []byte) []byte {
				return appendEntry(b, "connection.mtls", func(b []byte) []byte { return str(num(b, 4, 0), 5, "") })
			})
		}),
		// Metadata: a namespace twice, its value twice, nothing at all.
		msg(nil, 8, func(b []byte) []byte {
			for _, v := range []string{"a", "b"} {
				b = msg(b, 1, func(b []byte) []byte {
					b = str(b, 1, "ns")
					return msg(b, 2, func(b []byte) []byte { return appendText(b, v, v) })
				})
			}
			return b
		}),
		msg(nil, 8, func(b []byte) []byte {
			return msg(b, 1, func(b []byte) []byte {
				b = msg(b, 2, func(b []byte) []byte { return appendText(appendText(b, "k", "one"), "only first", "0") })
				b = str(b, 1, "ns")
				return msg(b, 2, func(b []byte) []byte { return appendText(appendText(b, "k", "two"), "l", "three") })
			})
		}),
		msg(nil, 8, func(b []byte) []byte { return msg(b, 1, func(b []byte) []byte { return b }) }),
		msg(nil, 8, func(b []byte) []byte { return num(b, 1, 3) }),
		// Body modes: taken back, not known to anybody, in two pieces, and of
		// another wire type.
		msg(nil, 11, func(b []byte) []byte { return num(num(num(b, 2, 4), 1, 4), 2, 0) }),
		msg(nil, 11, func(b []byte) []byte { return num(num(b, 1, 1<<64-1), 2, 1<<32+4) }),
		slices.Concat(msg(nil, 11, func(b []byte) []byte { return num(b, 1, 4) }), msg(nil, 11, func(b []byte) []byte { return num(b, 2, 1) })),
		slices.Concat(num(nil, 11, 4), msg(nil, 11, func(b []byte) []byte { return str(b, 1, "x") })),
	}
	return all
}

func group(number protowire.Number, contents []byte) []byte {
	b := protowire.AppendTag(nil, number, protowire.StartGroupType)
	b = append(b, contents...)
	return protowire.AppendTag(b, number, protowire.EndGroupType)
}

func header(b []byte, name, value string) []byte {
	return nest(b, 1, func(b []byte) []byte { return appendString(appendString(b, 1, name), 3, value) })
}

func headers(number protowire.Number, name, value string) []byte {
	return nest(nil, number, func(b []byte) []byte {
		return nest(b, 1, func(b []byte) []byte { return header(b, name, value) })
	})
}

func source(b []byte, address string) []byte { return appendText(b, "source.address", address) }

// attribute is a request with one attribute, a string.
func attribute(key, name, text string) []byte {
	return nest(nil, 9, func(b []byte) []byte {
		b = appendString(b, 1, key)
		return nest(b, 2, func(b []byte) []byte { return appendText(b, name, text) })
	})
}
