package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// load calls a wonted in every way that something outside does, until it is
// told to stop; the first call that fails is the error.
type load struct {
	socket, admin string
	calls         [4]atomic.Int64
	stop          atomic.Bool
	all           sync.WaitGroup
	failed        atomic.Pointer[string]
}

func (l *load) start(t *testing.T) {
	conn := l.dial(t)
	client := extprocv3.NewExternalProcessorClient(conn)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	kinds := []func() error{
		func() error { return wholeExchange(ctx, client, "busy") },
		func() error { // a connection each: somebody has to accept it
			c, err := grpc.NewClient("unix:"+l.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				return err
			}
			defer c.Close()
			return wholeExchange(ctx, extprocv3.NewExternalProcessorClient(c), "fresh")
		},
		func() error {
			r, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
			if err == nil && r.GetStatus() != healthpb.HealthCheckResponse_SERVING {
				err = fmt.Errorf("health is %v", r.GetStatus())
			}
			return err
		},
		func() error {
			res, err := http.Get("http://" + l.admin + "/readyz")
			if err != nil {
				return err
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err == nil && (res.StatusCode != 200 || !strings.HasPrefix(string(body), "ready")) {
				err = fmt.Errorf("readyz says %d %s", res.StatusCode, body)
			}
			return err
		},
	}
	for k, call := range kinds {
		for range 2 {
			l.all.Go(func() {
				for !l.stop.Load() {
					if err := call(); err != nil {
						text := fmt.Sprintf("kind %d, call %d: %v", k, l.calls[k].Load(), err)
						l.failed.CompareAndSwap(nil, &text)
						return
					}
					l.calls[k].Add(1)
					time.Sleep(time.Millisecond)
				}
			})
		}
	}
}

func (l *load) dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+l.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// more waits until every kind of call has been made n times more.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	for k := range l.calls {
		deadline, want := time.Now().Add(patience), l.calls[k].Load()+n
		for l.calls[k].Load() < want && l.failed.Load() == nil && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
	}
}

// wholeExchange is one request with its response, as Envoy would ask about it.
func wholeExchange(ctx context.Context, client extprocv3.ExternalProcessorClient, key string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := request(ctx, client, key)
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := stream.Send(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: httpHeaders(true, ":status", "200", "content-length", "0")}}); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return stream.CloseSend()
}
