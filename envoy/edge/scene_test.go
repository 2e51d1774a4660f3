package edge

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// list is a source that a test writes.
type list struct {
	mu   sync.Mutex
	nets []netip.Prefix
	told func()
}

func (l *list) Edge() []netip.Prefix {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nets
}

func (l *list) texts() (all []string) {
	for _, p := range l.Edge() {
		all = append(all, p.String())
	}
	return all
}

func (l *list) Watch(f func()) { l.told = f }

func (l *list) set(texts ...string) {
	l.mu.Lock()
	l.nets = parse(texts...)
	l.mu.Unlock()
	l.told()
}

// processor stands where wonted would, lets everything pass and counts it.
type processor struct {
	extprocv3.UnimplementedExternalProcessorServer
	asked atomic.Int64
}

func (p *processor) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	p.asked.Add(1)
	return stream.Send(&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}}})
}

// scene is Envoy, an upstream, and a server that comes and goes. Clients are
// whom the last entry of x-forwarded-for names.
type scene struct {
	testing.TB
	processor
	socket string
	opts   envoy.Options
	envoy  *envoy.Process
	server *grpc.Server
}

func newScene(t testing.TB, changes ...func(*envoy.Options)) *scene {
	t.Helper()
	dir, err := os.MkdirTemp("", "edge-") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &scene{TB: t, socket: filepath.Join(dir, "s")}
	s.opts = envoy.Options{
		Upstream: envoytest.StartUpstream(t).Address(), Wonted: "unix://" + s.socket,
		Depth: envoy.DepthLean, FailOpen: true, TrustedProxies: 1, Blocks: true,
	}
	for _, change := range changes {
		change(&s.opts)
	}
	return s
}

func (s *scene) startEnvoy() {
	s.Helper()
	s.envoy = envoytest.StartEnvoy(s, s.opts)
}

// serve starts a server; p publishes once it is told to.
func (s *scene) serve(p *Publisher) {
	s.Helper()
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		s.Fatal(err)
	}
	s.server = grpc.NewServer()
	p.Register(s.server)
	extprocv3.RegisterExternalProcessorServer(s.server, &s.processor)
	go s.server.Serve(l)
	s.Cleanup(s.server.Stop)
}

// publish serves a list that is published at once.
func (s *scene) publish(texts ...string) (*list, *Publisher) {
	s.Helper()
	l, p := newPublisher(s, nil, texts...)
	s.serve(p)
	go p.Run(s.Context())
	return l, p
}

func newPublisher(t testing.TB, change func(*Config), texts ...string) (*list, *Publisher) {
	l := &list{nets: parse(texts...)}
	cfg := Config{Source: l, Log: zerolog.Nop(), Registerer: prometheus.NewRegistry()}
	if change != nil {
		change(&cfg)
	}
	p := New(cfg)
	t.Cleanup(p.Close)
	return l, p
}

// get is how a client with this x-forwarded-for is answered.
func (s *scene) get(forwarded string) int {
	s.Helper()
	request, err := http.NewRequest(http.MethodGet, s.envoy.URL(), nil)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("x-forwarded-for", forwarded)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func (s *scene) want(status int, forwarded ...string) {
	s.Helper()
	for _, f := range forwarded {
		if got := s.get(f); got != status {
			s.Errorf("%s is answered %d, want %d", f, got, status)
		}
	}
}

// becomes waits for an answer to change.
func (s *scene) becomes(status int, forwarded string) {
	s.Helper()
	envoytest.Eventually(s, fmt.Sprintf("%s is answered %d", forwarded, status), func() error {
		if got := s.get(forwarded); got != status {
			return fmt.Errorf("it is answered %d", got)
		}
		return nil
	})
}

// value waits for a metric.
func value(t testing.TB, what string, m prometheus.Metric, want float64) {
	t.Helper()
	envoytest.Eventually(t, what, func() error {
		if got := read(t, m); got != want {
			return fmt.Errorf("%v, want %v", got, want)
		}
		return nil
	})
}

func read(t testing.TB, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetGauge().GetValue() + out.GetCounter().GetValue()
}
