package extproc

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
)

// Config is what a Server is made of.
type Config struct {
	Gate       Gate          // required
	Identity   Resolver      // required
	SignIns    *signin.Table // nil: nobody is known to sign in
	Operations Operations    // nil: all requests are judged by their headers
	Clock      func() time.Time
	MaxOpen    int           // exchanges open at once; 0: DefaultMaxOpen
	Deadline   time.Duration // of an exchange without a message; 0: DefaultDeadline
	Depth      Depth
	Traced     bool          // somebody reads Case.Traceparent
	StepUp     policy.StepUp // how challenges are put where a rule does not say
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

// Server is the external processor that Envoy talks to.
type Server struct {
	gate             Gate
	identity         Resolver
	signIns          *signin.Table
	operations       Operations
	bodies           bodies
	held             atomic.Int64 // bytes of bodies that are not complete
	clock            clock
	open             *table
	deadline         time.Duration
	depth            Depth
	fail             policy.FailMode
	stepUp           *stepUp
	traced           bool
	metrics          *metrics
	opened, answered atomic.Uint64
	signs            signs
	log              accessLog
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
		signIns:     cfg.SignIns,
		operations:  cfg.Operations,
		clock:       clock{read: cfg.Clock},
		open:        newTable(cfg.MaxOpen),
		deadline:    cfg.Deadline,
		depth:       cfg.Depth,
		fail:        cfg.Fail,
		stepUp:      newStepUp(cfg.StepUp),
		traced:      cfg.Traced,
		metrics:     newMetrics(cfg.Registerer),
		complaints:  newComplaints(cfg.Log),
		duplexLimit: newDuplexLimit(),
		log:         accessLog{leaving: make(chan struct{})},
	}
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

// Register adds the services to a grpc.Server made with ServerOptions: the
// processor and the access log.
func (s *Server) Register(g *grpc.Server) {
	g.RegisterService(&service, s)
	g.RegisterService(&logService, s)
}

// ServerOptions are what the processor's grpc.Server must be made with: its
// codec, and the settings that HTTP/2 between neighbours on one machine wants.
//
// Stream workers (grpc.NumStreamWorkers) spare the streams of 32 requests in flight
// a new goroutine and its growing stack, see growStack. No more of them: they take
// turns, so that every request finds a stack that was not used for as many
// requests as there are workers. With 16 in flight, 512 workers cost an eighth
// more CPU than none. Streams that stay, of the access log, keep one each.
//
// Other sizes of buffers and windows, or a shared write buffer, change nothing.
func ServerOptions() []grpc.ServerOption {
	const (
		// A message is a body as far as Envoy has buffered it: 2.6 MB with its
		// default limits, 18 MB with limits of 16 MB. Over this one the
		// client's response is reset.
		maxMessage = 64 << 20
		// Envoy keeps a stream open for every request in flight.
		streams = 1 << 20
		workers = 32
		// Static windows spare the pings that estimate the bandwidth.
		streamWindow, connWindow = 1 << 20, 16 << 20
	)
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(streams),
		grpc.NumStreamWorkers(workers),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
	}
}
