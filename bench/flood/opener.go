package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// connections is how many Envoy would have: one a worker thread.
const connections = 4

// opener opens exchanges as Envoy does: a stream each, request headers on it,
// and the answer awaited.
type opener struct {
	conns [connections]*grpc.ClientConn
	held  []extprocv3.ExternalProcessor_ProcessClient
	mu    sync.Mutex
}

func newOpener(socket string) (*opener, error) {
	o := &opener{}
	for i := range o.conns {
		conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			o.close()
			return nil, err
		}
		o.conns[i] = conn
	}
	return o, nil
}

func (o *opener) close() {
	for _, conn := range o.conns {
		if conn != nil {
			conn.Close()
		}
	}
}

// open opens the i-th exchange.
func (o *opener) open(ctx context.Context, i int) (extprocv3.ExternalProcessor_ProcessClient, error) {
	stream, err := extprocv3.NewExternalProcessorClient(o.conns[i%connections]).Process(ctx)
	if err != nil {
		return nil, err
	}
	header := func(name, value string) *corev3.HeaderValue {
		return &corev3.HeaderValue{Key: name, RawValue: []byte(value)}
	}
	err = stream.Send(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{EndOfStream: true, Headers: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{
			header(":method", "GET"), header(":path", "/v1/events"), header(":scheme", "https"), header(":authority", "api.example.com"),
			header("user-agent", agents[i%len(agents)]), header("x-api-key", "holder "+strconv.Itoa(i%1000)), header("accept", "text/event-stream"),
		}}},
	}})
	if err != nil {
		return nil, err
	}
	answer, err := stream.Recv()
	if err == nil && answer.GetRequestHeaders() == nil {
		err = fmt.Errorf("answered %v", answer)
	}
	return stream, err
}

// hold opens n exchanges, and keeps them.
func (o *opener) hold(ctx context.Context, n int) error {
	var group sync.WaitGroup
	var failed atomic.Pointer[error]
	var next atomic.Int64
	for range 4 * connections {
		group.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				stream, err := o.open(ctx, i)
				if err != nil {
					err = fmt.Errorf("open exchange %d: %w", i, err)
					failed.Store(&err)
					return
				}
				o.mu.Lock()
				o.held = append(o.held, stream)
				o.mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// complete opens n exchanges and ends each properly: with response headers.
func (o *opener) complete(ctx context.Context, n int) error {
	for i := range n {
		ctx, cancel := context.WithCancel(ctx)
		stream, err := o.open(ctx, i)
		if err == nil {
			err = respond(stream)
		}
		cancel()
		if err != nil {
			return fmt.Errorf("complete exchange %d: %w", i, err)
		}
	}
	return nil
}

// respond sends response headers and waits for their answer.
func respond(stream extprocv3.ExternalProcessor_ProcessClient) error {
	err := stream.Send(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: &extprocv3.HttpHeaders{EndOfStream: true, Headers: &corev3.HeaderMap{
			Headers: []*corev3.HeaderValue{{Key: ":status", RawValue: []byte("204")}},
		}},
	}})
	if err != nil {
		return err
	}
	answer, err := stream.Recv()
	if err == nil && answer.GetResponseHeaders() == nil {
		err = fmt.Errorf("answered %v", answer)
	}
	return err
}
