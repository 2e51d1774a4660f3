package extproc

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// panicked ends an exchange whose handling has panicked, and its stream, unless
// the chunks that Envoy has already sent would be lost with it: in full duplex
// the stream goes on, once.
func (s *session) panicked(stream grpc.ServerStream, p any) (more bool, err error) {
	again := s.broken
	s.broken = true
	s.server.panicked(p)
	defer func() {
		if p := recover(); p != nil { // the Gate cannot even fail
			s.server.panicked(p)
			more, err = false, s.abandon()
		}
	}()
	if err := s.failed(stream, "panic"); err != nil || !s.modes.rigid() {
		return false, err
	}
	if again || s.owed {
		return false, s.abandon()
	}
	s.message = nil // the panic may have left anything in it
	s.state = spent
	s.finish(scoring.Unknown)
	return true, nil
}

// failed ends an exchange that cannot be handled, as the Gate's fail mode says:
// let go on, or refused. Its stream ends with it. One that is answered may end
// with nil; one that is not may do so only where it shall go on, since Envoy
// takes that for consent.
func (s *session) failed(stream grpc.ServerStream, reason string) error {
	if !s.owed || s.observed {
		return nil
	}
	out, ok := s.fallback(reason)
	if !ok {
		return s.abandon()
	}
	if out.reply == nil {
		if s.modes.rigid() {
			return s.abandon()
		}
		return nil
	}
	if err := stream.SendMsg(out.reply); err != nil {
		return err
	}
	s.owed = false
	if out.ends {
		s.finish(out.end)
	}
	return nil
}

// fallback is what the Gate says about a failure; not ok where the exchange is
// not before the Gate any more.
func (s *session) fallback(reason string) (out outcome, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == waiting && !s.open {
		s.begin(s.server.clock.now())
	}
	if !s.open {
		return outcome{}, false
	}
	begun := s.state == metering
	switch v := s.server.gate.Fail(&s.c, reason); {
	case v.Pass && s.to == kindNone:
		return outcome{}, true // nobody knows what the answer would be to
	case v.Pass:
		return s.pass(s.message), true
	case begun:
		return s.cut(v), true
	default:
		return s.refuse(v), true
	}
}

// abandon is the last resort: an unanswered stream ends as the fail mode says,
// but in full duplex with an error: the client must notice that chunks are lost.
func (s *session) abandon() error {
	if s.modes.rigid() || s.owed && s.server.fail == policy.FailClosed && !s.shadow {
		return status.Error(codes.Internal, "the exchange could not be handled")
	}
	return nil
}

// panicked counts a panic, and logs where it came from, but not a line each.
func (s *Server) panicked(p any) {
	s.metrics.panics.Inc()
	s.complaints.log(p)
}

type complaints struct {
	logger     zerolog.Logger
	limit      *rate.Limiter
	suppressed atomic.Uint64
}

func newComplaints(l zerolog.Logger) *complaints {
	return &complaints{logger: l, limit: rate.NewLimiter(rate.Every(10*time.Second), 3)}
}

func (c *complaints) log(p any) {
	if !c.limit.Allow() {
		c.suppressed.Add(1)
		return
	}
	c.logger.Error().
		Str("panic", fmt.Sprint(p)).
		Bytes("stack", debug.Stack()).
		Uint64("suppressed", c.suppressed.Swap(0)).
		Msg("handling an exchange panicked; only that exchange is affected")
}
