package extproc

import (
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"

	"github.com/wonted-project/wonted/scoring"
)

// isGRPC says what Envoy takes for a gRPC request.
func isGRPC(ex *scoring.Exchange) bool {
	const grpc = "application/grpc"
	for i := range ex.Headers {
		h := &ex.Headers[i]
		if string(h.Name) != "content-type" {
			continue
		}
		v := string(h.Value)
		return len(v) >= len(grpc) && v[:len(grpc)] == grpc && (len(v) == len(grpc) || v[len(grpc)] == '+' || v[len(grpc)] == ';')
	}
	return false
}

// grpcCode is the code of a refusal.
func grpcCode(status int) uint64 {
	switch {
	case status == http.StatusBadRequest:
		return uint64(codes.InvalidArgument)
	case status == http.StatusUnauthorized:
		return uint64(codes.Unauthenticated)
	case status == http.StatusTooManyRequests:
		return uint64(codes.ResourceExhausted)
	case status == http.StatusNotFound:
		return uint64(codes.NotFound)
	case status >= 500:
		return uint64(codes.Unavailable)
	}
	return uint64(codes.PermissionDenied)
}

// httpStatus is what a gRPC upstream meant by a 200 with grpc-status. It
// matters that a refused credential is seen as refused: nothing is learned from
// such an exchange.
func httpStatus(status int, grpcStatus []byte) int {
	if status != http.StatusOK || len(grpcStatus) == 0 {
		return status
	}
	n, err := strconv.ParseUint(string(grpcStatus), 10, 32)
	if err != nil {
		return status
	}
	switch codes.Code(n) {
	case codes.OK:
		return status
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.NotFound:
		return http.StatusNotFound
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange, codes.AlreadyExists, codes.Canceled, codes.Aborted:
		return http.StatusBadRequest
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
