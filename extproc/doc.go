// Package extproc is the stream between Envoy and the Gate: Envoy's external
// processor protocol and its access log on one side, exchanges and verdicts on
// the other.
//
// It may import policy, scoring, scoring/payload and signin; it is one of the few
// packages that may import go-control-plane (its tests do, to check the bytes
// it writes and reads by hand). Start reading at session.go, then phases.go,
// which holds what happens in each state; walk.go reads what Envoy sends,
// verdict.go, continue.go and immediate.go write what it gets; answer.go and
// challenge.go are what a client is told in the upstream's place. accesslog.go is
// where the log comes in, settle.go what it ends, past.go what is known from it
// alone.
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
//	            operation in the
//	            body: put off
//	put off     continue (odd)    whole, or too  Gate.Open, then     continue (odd)     continue (odd)      Gate.Open
//	                              long:          as judged                                                  close: unknown
//	                              Gate.Open
//	                              pass: judged
//	                              else: refuse
//	judged      continue (odd)    continue       reopen, if swept    continue (odd)     continue (odd)      close: unknown
//	                              sign-in: see   Gate.Answer                                                awaited: detach
//	                              attempt.go
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
//	detach    the end is awaited from the access log, see below.
//
// An exchange is closed after its last answer is sent, so that learning delays
// nobody; if that answer cannot be sent, the end is unknown. Besides the table:
//
//   - What is put off is not in the table, and neither swept nor bounded there:
//     the stream ends it. It has been asked for something all the same, and
//     counts, with its path alone, if its client goes away before it has told
//     what.
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
// The filter's base is response headers SKIP, and the answer to the request
// headers says how much more is wanted: the depth.
//
// The body of a request is asked for where it may sign somebody in, see
// attempt.go, or says what is asked for, see operation.go, and so are its
// response headers: at headers, bodies and adaptive. At lean and log nobody's
// name is known unless a header has it, and no operation.
//
//	headers   every answer asks for the response headers. The answer to those
//	          asks for the body as STREAMED where the Gate wants it metered; never
//	          as BUFFERED, on which Envoy hangs when the body is over its limit
//	bodies    and for every body
//	lean      nothing is asked for: Envoy ends the stream, and the access log
//	          tells the end. No response is refused, cut or changed
//	adaptive  lean where the Gate does not want the response (Verdict.Headers) and
//	          the log is there: connected, and an entry with one of our ids came
//	          in the last ten seconds. Else headers
//	log       there is no filter. All is known from the log, when it is over
//
// Nothing is asked for where the filter's own configuration (protocol_config in
// the first message) sends a body as FULL_DUPLEX_STREAMED: Envoy would ignore
// it. In that mode "continue" for a chunk is the chunk itself, and a stream
// never ends with nil while chunks may be on their way; see duplex.go.
//
// # The access log
//
// What our answer leaves in the dynamic metadata comes back in the entry: the
// exchange's id, random and ours, and "awaited" where the entry shall end it. A
// request id would not do: clients can write it, and could close the exchanges
// of others. How an entry is counted is what is done about it:
//
//	closed        the awaited exchange is answered and closed: Gate.Answer with
//	              status and size, then answered, or unknown where the client went
//	              or the response broke off (its bytes count, nothing is learned)
//	late          the same for one that was swept: it is opened anew, as above
//	known         not awaited: its stream has told
//	duplicate     told before
//	unknown       nobody waits: opened before a restart, or forgotten
//	judged        depth log: opened, answered and closed in one go
//	unprotected   no id of ours, and yet an upstream was contacted: the filter is
//	              missing or disabled, or timed out, or failed open. Or one that was
//	              put off, without a verdict, and yet the upstream's answer
//	blocked       Envoy refused it for us, by the list that package envoy/edge keeps:
//	              nobody is judged by it, at depth log neither
//	local_reply   no id of ours, and Envoy answered by itself (431, RBAC before us)
//	intermediate  not the end of an exchange; unreadable, panic: that entry is lost
//
// Whatever Envoy or a filter behind us answers counts as the upstream's answer,
// at every depth: a 404 without a route is a miss, a 503 an error, a 403 takes
// the request back. At depth log that holds for a filter before us as well;
// nobody can tell them apart there. What Envoy could not even read is nobody's.
//
// A verdict on what is over stops nothing: from the entry on the case is Told,
// and its mode is shadow. Records are unknown. An exchange that is awaited waits
// for Config.Deadline like one that streams, since a download or a websocket may
// go on for long; but for 30 seconds while no log is connected, since what Envoy
// could not send is lost. What is awaited without a stream is bounded by a
// quarter of Config.MaxOpen. Swept ones are kept for an hour, a sixteenth of
// MaxOpen at most, so that what a client takes slowly counts when it is told.
package extproc
