package extproc

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// Config is what a Server is made of.
type Config struct {
	Gate     Gate     // required
	Identity Resolver // required
	Clock    func() time.Time
	MaxOpen  int           // exchanges open at once; 0: DefaultMaxOpen
	Deadline time.Duration // of an exchange without a message; 0: DefaultDeadline
	Depth    Depth
	// Fail is what to do where not even the Gate can say (its Fail panics).
	Fail       policy.FailMode
	Log        zerolog.Logger
	Registerer prometheus.Registerer // nil: metrics are kept but not published
}

// The bounds of the table of open exchanges.
const (
	DefaultMaxOpen  = 65_536
	DefaultDeadline = 5 * time.Minute
)

// Depth says how much of an exchange is asked for.
type Depth uint8

// The depths.
const (
	DepthHeaders Depth = iota // request and response headers; the body where the Gate asks for it
	DepthBodies               // and every response body
)

// Server is the external processor that Envoy talks to.
type Server struct {
	gate             Gate
	identity         Resolver
	clock            clock
	open             *table
	deadline         time.Duration
	depth            Depth
	fail             policy.FailMode
	metrics          *metrics
	opened, answered atomic.Uint64
	signs            signs
	complaints       *complaints
	duplexLimit      *rate.Limiter
}

// New makes a Server. Register it on a grpc.Server that was made with
// ServerOptions, and keep Run running.
func New(cfg Config) *Server {
	if cfg.Gate == nil || cfg.Identity == nil {
		panic("extproc.New: Gate and Identity are required")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.MaxOpen <= 0 {
		cfg.MaxOpen = DefaultMaxOpen
	}
	if cfg.Deadline <= 0 {
		cfg.Deadline = DefaultDeadline
	}
	return &Server{
		gate:        cfg.Gate,
		identity:    cfg.Identity,
		clock:       clock{read: cfg.Clock},
		open:        newTable(cfg.MaxOpen),
		deadline:    cfg.Deadline,
		depth:       cfg.Depth,
		fail:        cfg.Fail,
		metrics:     newMetrics(cfg.Registerer),
		complaints:  newComplaints(cfg.Log),
		duplexLimit: newDuplexLimit(),
	}
}

// Stats is what a readiness check wants to know.
type Stats struct {
	Open     int    // exchanges whose end is still to come
	Opened   uint64 // exchanges begun, or opened again
	Answered uint64 // of them, those whose response headers came: none, where Envoy ignores mode_override

	// What a rightly configured proxy does not do.
	Silent     uint64        // streams ended after the request, since the last one with a response
	Sourceless uint64        // requests lately without the attribute source.address
	Late       uint64        // answers lately that nobody waited for
	LateAfter  time.Duration // how soon the first of them was late already

	Ahead time.Duration // of the system's clock, which was set back
}

// Stats counts.
func (s *Server) Stats() Stats {
	now := s.clock.now()
	st := Stats{
		Open: s.open.len(), Opened: s.opened.Load(), Answered: s.answered.Load(),
		Sourceless: s.signs.sourceless.Count(now),
		Late:       s.signs.late.Count(now),
		Ahead:      time.Duration(s.clock.ahead.Load()),
	}
	if silent := &s.signs.silent; silent.answered.Load() == st.Answered {
		st.Silent = silent.n.Load()
	}
	if st.Late > 0 {
		st.LateAfter = time.Duration(s.signs.late.soonest.Load())
	}
	return st
}

// processor is what the service needs of its implementation.
type processor interface {
	process(grpc.ServerStream) error
}

// service is envoy.service.ext_proc.v3.ExternalProcessor. The generated one
// would receive into the generated types.
var service = grpc.ServiceDesc{
	ServiceName: "envoy.service.ext_proc.v3.ExternalProcessor",
	HandlerType: (*processor)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName:    "Process",
		Handler:       func(srv any, stream grpc.ServerStream) error { return srv.(processor).process(stream) },
		ServerStreams: true,
		ClientStreams: true,
	}},
	Metadata: "envoy/service/ext_proc/v3/external_processor.proto",
}

// Register adds the service to a grpc.Server made with ServerOptions.
func (s *Server) Register(g *grpc.Server) { g.RegisterService(&service, s) }

// ServerOptions are what the processor's grpc.Server must be made with: its
// codec, and the settings that HTTP/2 between neighbours on one machine wants.
func ServerOptions() []grpc.ServerOption {
	const (
		// A message is a body as far as Envoy has buffered it: 2.6 MB with its
		// default limits, 18 MB with limits of 16 MB. Over this one the
		// client's response is reset.
		maxMessage = 64 << 20
		// A worker keeps its grown stack from stream to stream. Beyond these,
		// grpc-go starts a goroutine a stream as usual.
		workers = 512
		// Envoy keeps a stream open for every request in flight.
		streams = 1 << 20
		// Static windows spare the pings that estimate the bandwidth.
		streamWindow, connWindow = 1 << 20, 16 << 20
	)
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.NumStreamWorkers(workers),
		grpc.MaxConcurrentStreams(streams),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
	}
}

// close ends an open exchange before the Gate. The caller holds f.mu.
func (s *Server) close(f *flight, end scoring.End, now time.Time) {
	s.open.remove(f)
	if !f.open {
		return
	}
	f.open = false // first: a panic below must not lead here again
	s.metrics.ended[end].Inc()
	s.metrics.open.Dec()
	ex := &f.c.Exchange
	ex.Duration = now.Sub(ex.Time)
	s.gate.Close(&f.c, end, now)
}

// Run closes overdue exchanges until ctx is done.
func (s *Server) Run(ctx context.Context) {
	tick := time.NewTicker(min(max(s.deadline/30, 100*time.Millisecond), 10*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Sweep(s.clock.now())
		}
	}
}

// Sweep closes the exchanges whose request has gone on and whose stream has had
// no message for the deadline, as unknown, and says how many. If a response
// comes after all, they are opened again.
func (s *Server) Sweep(now time.Time) int {
	return s.closeIdle(now.Add(-s.deadline), false, now, s.metrics.swept.deadline)
}

// Drain closes all open exchanges, as unknown: the process ends and what their
// callers have done until now should be in its snapshot.
func (s *Server) Drain() int {
	now := s.clock.now()
	return s.closeIdle(now, true, now, s.metrics.swept.drain)
}

func (s *Server) closeIdle(cutoff time.Time, all bool, now time.Time, why prometheus.Counter) (closed int) {
	var list []*flight
	for i := range s.open.shards {
		list = s.open.shards[i].overdue(cutoff, all, list[:0])
		for _, f := range list {
			s.closeFor(f, now, why)
		}
		closed += len(list)
	}
	return closed
}

// closeFor closes a locked flight in its stream's place, and unlocks it.
func (s *Server) closeFor(f *flight, now time.Time, why prometheus.Counter) {
	defer f.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
		}
	}()
	why.Inc()
	s.close(f, scoring.Unknown, now)
}
