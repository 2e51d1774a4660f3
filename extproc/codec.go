package extproc

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec is the server's codec. It reads and writes the types of the processor's
// stream and of the access log by hand; every other service on the same server (health,
// reflection) goes through the proto codec, whose name it carries.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Marshal hands over a reply's buffer, which grpc-go frees when it is written.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(*reply); ok {
		return r.data, nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal walks a message; data is freed by the caller, so the message takes
// a reference of its own.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch m := v.(type) {
	case *message:
		m.decode(data)
		return nil
	case *logMessage:
		m.decode(data)
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}
