package extproc

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/wonted-project/wonted/scoring"
)

// attributesKey is the one entry of ProcessingRequest.attributes that Envoy's
// filter writes.
const attributesKey = "envoy.filters.http.ext_proc"

// walkMetadata reads a core.v3.Metadata: its filter_metadata, namespace by
// namespace, each left encoded for the identity rule that asks for it.
func (m *message) walkMetadata(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		if f.tag != bytesTag(1) {
			continue
		}
		name, value, err := walkEntry(f.bytes)
		if err != nil {
			return err
		}
		m.metadata = setNamespace(m.metadata, scoring.Namespace{Name: name, Struct: value})
	}
	return nil
}

// setNamespace keeps a namespace, the last of a name.
func setNamespace(all []scoring.Namespace, ns scoring.Namespace) []scoring.Namespace {
	i := slices.IndexFunc(all, func(n scoring.Namespace) bool { return bytes.Equal(n.Name, ns.Name) })
	if i < 0 {
		return append(all, ns)
	}
	all[i] = ns
	return all
}

// walkEntry reads an entry of a map from strings to messages. Encoded messages
// merge by concatenation, which is what a value given twice asks for; nobody
// sends that, so it may cost an allocation.
func walkEntry(b []byte) (key, value []byte, err error) {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return nil, nil, errFraming
		}
		b = rest
		switch {
		case f.tag == bytesTag(1):
			if key = f.bytes; !utf8.Valid(key) {
				return nil, nil, errUTF8
			}
		case f.tag == bytesTag(2) && value == nil:
			value = f.bytes
		case f.tag == bytesTag(2):
			value = slices.Concat(value, f.bytes)
		}
	}
	return key, value, nil
}

// walkAttributes reads one entry of the attributes map.
func (m *message) walkAttributes(b []byte) error {
	key, value, err := walkEntry(b)
	if err != nil || string(key) != attributesKey {
		return err
	}
	m.attributes = attributes{}
	for len(value) > 0 {
		f, rest, ok := next(value)
		if !ok {
			return errFraming
		}
		value = rest
		if f.tag != bytesTag(1) {
			continue
		}
		name, encoded, err := walkEntry(f.bytes)
		if err != nil {
			return err
		}
		if err := m.attributes.set(name, encoded); err != nil {
			return err
		}
	}
	return nil
}

// set keeps one attribute, if it is one that wonted reads. An attribute of
// another type than expected is as good as absent.
func (a *attributes) set(name, encoded []byte) error {
	var to *[]byte
	var no *bool
	switch string(name) {
	case "source.address":
		to = &a.source
	case "request.protocol":
		to = &a.protocol
	case "connection.uri_san_peer_certificate":
		to = &a.uriSAN
	case "connection.dns_san_peer_certificate":
		to = &a.dnsSAN
	case "connection.subject_peer_certificate":
		to = &a.subject
	case "connection.mtls":
		no = &a.noMTLS
	case "connection.peer_certificate_valid":
		no = &a.invalidCertificate
	default:
		return nil
	}
	v, err := walkValue(encoded)
	if err != nil {
		return err
	}
	if to != nil {
		*to = v.text
	} else {
		*no = v.isBool && !v.truth
	}
	return nil
}

// value is a google.protobuf.Value, if it is of a type that wonted reads.
type value struct {
	text   []byte
	isBool bool
	truth  bool
}

// walkValue reads a google.protobuf.Value: the last member of its oneof wins.
func walkValue(b []byte) (v value, err error) {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return value{}, errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(3):
			if v = (value{text: f.bytes}); !utf8.Valid(v.text) {
				return value{}, errUTF8
			}
		case varintTag(4):
			v = value{isBool: true, truth: f.value != 0}
		case varintTag(1), fixed64Tag(2), bytesTag(5), bytesTag(6): // null, number, struct, list
			v = value{}
		}
	}
	return v, nil
}
