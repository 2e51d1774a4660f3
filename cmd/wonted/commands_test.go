package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
)

// patience bounds every wait of a script: far more than a slow machine needs.
const patience = 30 * time.Second

// setupScript gives a script free ports $PORT1 to $PORT3, a directory $S that
// is short enough for sockets, and no default socket of this machine.
func setupScript(env *testscript.Env) error {
	var open []net.Listener
	for i := range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		open = append(open, l)
		env.Setenv(fmt.Sprintf("PORT%d", i+1), strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	for _, l := range open {
		l.Close()
	}
	dir, err := os.MkdirTemp("", "w")
	if err != nil {
		return err
	}
	env.Defer(func() { os.RemoveAll(dir) })
	env.Setenv("S", dir)
	env.Setenv("XDG_RUNTIME_DIR", dir)
	return nil
}

// getURL: get URL REGEXP waits until the answer matches; with ! it must answer
// now, and not match.
func getURL(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: get URL REGEXP")
	}
	want := regexp.MustCompile(args[1])
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		res, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		res.Body.Close()
		ts.Check(err)
		last = fmt.Sprintf("%d\n%s", res.StatusCode, body)
		switch matches := want.MatchString(last); {
		case neg && matches:
			ts.Fatalf("%s answers %s", args[0], last)
		case neg || matches:
			return
		}
	}
	ts.Fatalf("%s does not answer with %s but with %s", args[0], args[1], last)
}

// envSubst: envsubst FROM TO writes FROM with its $VARIABLES filled in.
func envSubst(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// occupy: occupy NETWORK ADDRESS listens there until the script ends.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen(args[0], args[1])
	ts.Check(err)
	ts.Defer(func() { l.Close() })
}

// staleSocket: stale PATH leaves a socket on which nobody listens, as a killed
// process does.
func staleSocket(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("unix", args[0])
	ts.Check(err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	ts.Check(l.Close())
}

// signalAll: signal TERM|HUP signals what runs in the background.
func signalAll(ts *testscript.TestScript, _ bool, args []string) {
	sig, ok := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}[args[0]]
	if !ok || len(ts.BackgroundCmds()) == 0 {
		ts.Fatalf("usage: signal TERM|HUP, with something in the background")
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(sig))
	}
}

// exchange: exchange SOCKET APIKEY N [silent] plays N exchanges as Envoy would,
// and writes what was answered to the request headers to $WORK/answers, a line
// each; silent ones never come to a response. With N = hold it leaves one
// exchange open until the script ends.
func exchange(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: exchange SOCKET APIKEY N|hold [silent]")
	}
	silent := len(args) == 4 && args[3] == "silent"
	conn, err := grpc.NewClient("unix:"+args[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	ts.Defer(func() { cancel(); conn.Close() })
	client := extprocv3.NewExternalProcessorClient(conn)
	if args[2] == "hold" {
		_, err := request(ctx, client, args[1])
		ts.Check(err)
		return
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	var answers strings.Builder
	for range n {
		stream, err := request(ctx, client, args[1])
		ts.Check(err)
		answer, err := stream.Recv()
		ts.Check(err)
		if ir := answer.GetImmediateResponse(); ir != nil {
			fmt.Fprintf(&answers, "refused %d\n", ir.GetStatus().GetCode())
		} else {
			fmt.Fprintf(&answers, "allowed\n")
		}
		if answer.GetImmediateResponse() == nil && !silent {
			ts.Check(stream.Send(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
				ResponseHeaders: httpHeaders(true, ":status", "200", "content-length", "0")}}))
			_, err = stream.Recv()
			ts.Check(err)
		}
		ts.Check(stream.CloseSend())
		for err == nil {
			_, err = stream.Recv()
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs("answers"), []byte(answers.String()), 0o600))
}

// request opens a stream and sends the request headers.
func request(ctx context.Context, client extprocv3.ExternalProcessorClient, key string) (extprocv3.ExternalProcessor_ProcessClient, error) {
	stream, err := client.Process(ctx)
	if err != nil {
		return nil, err
	}
	source, err := structpb.NewStruct(map[string]any{"source.address": "192.0.2.7:40000"})
	if err != nil {
		return nil, err
	}
	return stream, stream.Send(&extprocv3.ProcessingRequest{
		Attributes: map[string]*structpb.Struct{"envoy.filters.http.ext_proc": source},
		Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: httpHeaders(true,
			":method", "GET", ":scheme", "http", ":authority", "api.example", ":path", "/v1/orders/17", "x-api-key", key)},
	})
}

func httpHeaders(end bool, pairs ...string) *extprocv3.HttpHeaders {
	h := &extprocv3.HttpHeaders{Headers: &corev3.HeaderMap{}, EndOfStream: end}
	for i := 0; i < len(pairs); i += 2 {
		h.Headers.Headers = append(h.Headers.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return h
}
