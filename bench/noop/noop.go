// Package noop is the reference that wonted's cost is measured against: the
// external processor that one writes first, with grpc-go as it comes and
// go-control-plane's generated types, answering CONTINUE to whatever Envoy
// sends. It decides nothing, remembers nothing, and is not made slow.
//
// It imports go-control-plane and grpc, nothing of wonted. It is one type:
// start at [New].
package noop

import (
	"errors"
	"io"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Processor answers CONTINUE.
type Processor struct {
	extprocv3.UnimplementedExternalProcessorServer
}

// New makes a gRPC server, with the library's defaults, that serves a
// Processor.
func New() *grpc.Server {
	s := grpc.NewServer()
	extprocv3.RegisterExternalProcessorServer(s, Processor{})
	return s
}

// Process answers every message of one exchange until Envoy ends the stream.
func (Processor) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := answer(request)
		if err != nil {
			return err
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

// answer continues, in the form that belongs to the phase: Envoy refuses any
// other.
func answer(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
	proceed := &extprocv3.CommonResponse{Status: extprocv3.CommonResponse_CONTINUE}
	switch request.Request.(type) {
	case *extprocv3.ProcessingRequest_RequestHeaders:
		return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestHeaders{
			RequestHeaders: &extprocv3.HeadersResponse{Response: proceed},
		}}, nil
	case *extprocv3.ProcessingRequest_RequestBody:
		return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestBody{
			RequestBody: &extprocv3.BodyResponse{Response: proceed},
		}}, nil
	case *extprocv3.ProcessingRequest_RequestTrailers:
		return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestTrailers{
			RequestTrailers: &extprocv3.TrailersResponse{},
		}}, nil
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseHeaders{
			ResponseHeaders: &extprocv3.HeadersResponse{Response: proceed},
		}}, nil
	case *extprocv3.ProcessingRequest_ResponseBody:
		return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{
			ResponseBody: &extprocv3.BodyResponse{Response: proceed},
		}}, nil
	case *extprocv3.ProcessingRequest_ResponseTrailers:
		return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseTrailers{
			ResponseTrailers: &extprocv3.TrailersResponse{},
		}}, nil
	}
	return nil, status.Errorf(codes.InvalidArgument, "a message of no known phase: %T", request.Request)
}
