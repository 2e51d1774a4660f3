package extproc

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// logService is envoy.service.accesslog.v3.AccessLogService. Envoy opens one
// stream a worker with its first entry, keeps it, and never reads an answer.
var logService = grpc.ServiceDesc{
	ServiceName: "envoy.service.accesslog.v3.AccessLogService",
	HandlerType: (*logger)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName:    "StreamAccessLogs",
		Handler:       func(srv any, stream grpc.ServerStream) error { return srv.(logger).logs(stream) },
		ClientStreams: true,
	}},
	Metadata: "envoy/service/accesslog/v3/als.proto",
}

// logger is what the service needs of its implementation.
type logger interface {
	logs(grpc.ServerStream) error
}

// accessLog is what is known of the log as a whole.
type accessLog struct {
	streams     atomic.Int64
	entries     atomic.Uint64
	seen        atomic.Int64 // when the latest entry with an id of ours came, in nanoseconds since the epoch
	unprotected Sighting
	lost        Sighting

	leaving chan struct{} // closed when the streams are to end
	once    sync.Once
}

// fresh is for how long an entry speaks for the next: longer than anybody lets
// Envoy keep entries back.
const fresh = 10 * time.Second

// alive says whether the log tells of what is marked now: it is connected, and
// has lately brought back an id of ours. An Envoy that drops our metadata, or
// whose log goes elsewhere, never does, and then nothing may be left to the log.
func (l *accessLog) alive(now time.Time) bool {
	return l.streams.Load() > 0 && now.UnixNano()-l.seen.Load() < int64(fresh)
}

// EndLogs ends the streams of the log: they never end by themselves, and Envoy
// opens them anew with whoever serves next. It waits until everything has been
// told that is awaited, but no longer than patience.
func (s *Server) EndLogs(patience time.Duration) {
	const pause = 10 * time.Millisecond
	for range patience / pause {
		if _, awaited := s.open.len(); awaited == 0 {
			break
		}
		time.Sleep(pause)
	}
	s.log.once.Do(func() { close(s.log.leaving) })
}

// logs serves one stream of the access log. Nothing but the end of its handler
// ends a stream that is being received from.
func (s *Server) logs(stream grpc.ServerStream) error {
	s.log.streams.Add(1)
	defer s.log.streams.Add(-1)
	over := make(chan error, 1)
	go func() { over <- s.readLog(stream) }()
	select {
	case err := <-over:
		return err
	case <-s.log.leaving:
		return stream.SendMsg(logged)
	}
}

func (s *Server) readLog(stream grpc.ServerStream) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			err = status.Error(codes.Internal, "the log could not be read")
		}
	}()
	r := &logReader{server: s}
	m := &r.message
	defer m.clear()
	for {
		if err := stream.RecvMsg(m); err != nil {
			if errors.Is(err, io.EOF) {
				return stream.SendMsg(logged)
			}
			if status.Code(err) == codes.Canceled {
				return nil
			}
			return err
		}
		r.read(m)
		m.clear()
	}
}

// logged is the empty StreamAccessLogsResponse.
var logged = constant(nil)

// logReader reads the entries of one stream, one after the other.
type logReader struct {
	server  *Server
	message logMessage
	entry   logEntry
	past    past
}

// breath is after how many entries other goroutines get their turn: a batch
// must not keep requests waiting.
const breath = 32

// read takes what a message tells.
func (r *logReader) read(m *logMessage) {
	s := r.server
	now := s.clock.now()
	if m.err != nil {
		s.metrics.entries[resultUnreadable].Inc()
		return
	}
	var seen bool
	n := 0
	for b := range m.entries {
		if n++; n%breath == 0 {
			runtime.Gosched()
			now = s.clock.now()
		}
		result := r.tell(b, now)
		seen = seen || result.ours()
		s.metrics.entries[result].Inc()
	}
	s.log.entries.Add(uint64(n))
	if seen {
		s.log.seen.Store(now.UnixNano())
	}
}

// tell reads one entry and does what it calls for. A panic costs this entry.
func (r *logReader) tell(b []byte, now time.Time) (what result) {
	s := r.server
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			what = resultPanic
		}
	}()
	e := &r.entry
	e.clear()
	e.whole = s.depth == DepthLog
	if err := e.walk(b); err != nil {
		return resultUnreadable
	}
	if string(e.details) == internalRedirect {
		e.code = 0 // nobody has had this answer: Envoy goes on with another request
	}
	switch {
	case !e.final():
		return resultIntermediate
	case e.blocked():
		return resultBlocked
	case e.marked && e.awaited:
		return s.settle(e, now)
	case e.marked && !e.unjudged():
		return resultKnown
	case s.depth == DepthLog && e.readable():
		r.judge(now)
		return resultJudged
	case s.depth != DepthLog && e.unjudged():
		s.metrics.unprotected.Inc()
		s.log.unprotected.See(now)
		return resultUnprotected
	}
	return resultLocal
}

// result is what became of an entry.
type result uint8

const (
	resultClosed       result = iota // it told of the end that was awaited
	resultLate                       // it did so when the exchange had been closed as unknown
	resultKnown                      // the stream had told already
	resultDuplicate                  // an entry before it had
	resultUnknown                    // nobody waits for it: its exchange was opened before a restart, or is forgotten
	resultJudged                     // depth log: all that is known is in it
	resultUnprotected                // nobody has judged the request that reached an upstream
	resultLocal                      // nor the one that Envoy answered by itself
	resultBlocked                    // Envoy refused it, since its address or network is in quarantine
	resultIntermediate               // the exchange goes on
	resultUnreadable
	resultPanic
	results int = iota
)

var resultNames = [results]string{
	"closed", "late", "known", "duplicate", "unknown", "judged", "unprotected", "local_reply", "blocked", "intermediate", "unreadable", "panic",
}

// ours: the entry carried an id that this log was to bring back.
func (r result) ours() bool { return r <= resultDuplicate }
