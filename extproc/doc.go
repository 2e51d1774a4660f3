// Package extproc is the stream between Envoy and the Gate: Envoy's external
// processor protocol on one side, exchanges and verdicts on the other.
//
// It may import policy, scoring and scoring/payload; it is one of the few
// packages that may import go-control-plane (its tests do, to check the bytes
// it writes and reads by hand). Start reading at session.go, then phases.go,
// which holds what happens in each state; walk.go reads what Envoy sends,
// continue.go and immediate.go write what it gets.
//
// # The state table
//
// Envoy opens one stream for one HTTP exchange and sends on it whatever its
// configuration, and our mode_override, ask for; the stream may begin late,
// lack any message, and end anywhere. Every message gets exactly one answer of
// its own kind (Envoy answers any other with a 500), and what was opened before
// the Gate is closed exactly once an opening.
//
//	            request headers   request body,  response headers    response body      response trailers   end of stream
//	                              trailers
//	waiting     Gate.Open         continue       continue, spent     continue (odd)     continue (odd)      nothing
//	            pass: judged                     (not ours: a filter
//	            else: refuse                     before us refused)
//	judged      continue (odd)    continue       reopen, if swept    continue (odd)     continue (odd)      close: unknown
//	                                             Gate.Answer
//	                                             body wanted: metering
//	                                             else close: answered
//	                                             not pass: refuse
//	metering    continue (odd)    continue       continue (odd)      Gate.Meter         close: answered     close: unknown
//	                                                                 last: close: answered
//	                                                                 not pass: cut
//	spent       continue          continue       continue            continue           continue            nothing
//
//	continue  CONTINUE in the form that belongs to the message's kind.
//	odd       counted as spurious: no Envoy is known to send it in this state.
//	reopen    Reset, and Gate.Open with the request that is still held, a new id
//	          and the time by now; not pass: refuse. Counted as reopened.
//	refuse    an ImmediateResponse (problem+json) and close: refused; spent.
//	cut       an ImmediateResponse after the headers have left: Envoy resets the
//	          stream, so that the client notices; close: truncated; spent.
//
// An exchange is closed after its last answer is sent, so that learning delays
// nobody; if that answer cannot be sent, the end is unknown. Besides the table:
//
//   - An exchange that waits for its response is swept, that is closed as
//     unknown, after Config.Deadline without a message, and so is the oldest
//     when Config.MaxOpen are open. Sweeping frees what it counts for, not its
//     stream: its response is judged all the same, as a new opening. While a
//     response passes nothing is swept, so that metering never stops; that adds
//     no memory to what the stream holds, and the end of a stream always comes.
//   - A panic, or a message that cannot be read, costs its one exchange: the
//     Gate's Fail says whether it is waved through or refused, and the stream
//     ends. Only where nothing is to be refused does an unanswered stream end
//     with nil: Envoy takes that for consent.
//   - In observability mode the same table runs, nothing is answered or refused,
//     and we end the stream ourselves when the exchange is spent.
//
// # What is asked for
//
// Every answer to request headers carries mode_override response_header_mode
// SEND, since the filter's base is SKIP. The answer to response headers asks
// for the body as STREAMED where the Gate wants it metered; never as BUFFERED,
// on which Envoy hangs when the body is over its limit.
//
// Nothing is asked for where the filter's own configuration (protocol_config in
// the first message) sends a body as FULL_DUPLEX_STREAMED: Envoy would ignore
// it. In that mode "continue" for a chunk is the chunk itself, and a stream
// never ends with nil while chunks may be on their way; see duplex.go.
package extproc
