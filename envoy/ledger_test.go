package envoy_test

import (
	"fmt"
	"maps"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// left is what the profile of a new caller holds when its exchange is over.
type left struct{ requests, accepted, sessions int }

var (
	// learned: the upstream answered, and it was ordinary.
	learned = left{1, 1, 1}
	// counted: it was answered in part, or oddly, and teaches nothing.
	counted = left{1, 1, 0}
	// asked: the answer was an error, or none came.
	asked = left{1, 0, 0}
	// takenBack: it was refused, and counts for nothing.
	takenBack = left{0, 0, 0}
)

// The ways in which an exchange ends.
const (
	answered  = "answered"
	refused   = "refused"
	truncated = "truncated"
	unknown   = "unknown"
)

// ledger is how many exchanges have been judged, and how they ended.
func (s *scene) ledger() map[string]int {
	s.Helper()
	all := s.wonted.Metrics(s)
	found := map[string]int{"judged": int(all.Sum(s, "wonted_exchanges_total"))}
	for _, end := range []string{answered, refused, truncated, unknown} {
		found[end] = int(all.Sum(s, "wonted_exchange_ends_total", `end="`+end+`"`))
	}
	return found
}

// judged runs an exchange of a caller that has the key and was never seen
// before, and wants that wonted judged as many exchanges as there are ends,
// that they ended so, and that this is what is left of them in the profile.
func (s *scene) judged(name string, want left, exchange func(key string), ends ...string) {
	s.Helper()
	expected := s.ledger()
	expected["judged"] += len(ends)
	for _, end := range ends {
		expected[end]++
	}
	key := "key-" + mark()
	exchange(key)
	s.settled(expected["judged"])
	if found := s.ledger(); !maps.Equal(found, expected) {
		s.Errorf("%s: wonted's count is %v, want %v", name, found, expected)
	}
	if len(ends) == 0 {
		if _, known := s.wonted.Profile(s, key); known {
			s.Errorf("%s: wonted has a profile of one whom it never saw", name)
		}
		return
	}
	var found envoytest.Profile
	envoytest.Eventually(s, name+": the profile is written", func() error {
		known := false
		if found, known = s.wonted.Profile(s, key); !known || found.InFlight != 0 {
			return fmt.Errorf("it is %+v (known: %v)", found, known)
		}
		return nil
	})
	if got := (left{found.Requests, found.Accepted, found.Sessions}); got != want {
		s.Errorf("%s: the profile holds %+v, want %+v", name, got, want)
	}
}

// settled waits until wonted holds no open exchange, and at depth log, where it
// knows of none before its end, until it has judged so many. More would show
// soon after.
func (s *scene) settled(judged int) {
	s.Helper()
	if s.wonted.Depth == string(envoy.DepthLog) {
		envoytest.Eventually(s, "the access log has told of it", func() error {
			if n := int(s.metric("wonted_exchanges_total")); n < judged {
				return fmt.Errorf("%d exchanges were judged, want %d", n, judged)
			}
			return nil
		})
	}
	s.idle()
}

// undisturbed wants that nothing has gone wrong between Envoy and wonted.
func (s *scene) undisturbed() {
	s.Helper()
	for _, name := range []string{"streams_failed", "spurious_msgs_received", "message_timeouts", "failure_mode_allowed"} {
		if s.wonted.Depth == string(envoy.DepthLog) {
			break // there is no filter
		}
		if n := envoytest.Stat(s, s.envoy, "http.clients.ext_proc.wonted."+name); n != 0 {
			s.Errorf("Envoy has counted %d %s", n, name)
		}
	}
	for _, name := range []string{"wonted_stream_spurious_total", "wonted_stream_decode_errors_total", "wonted_stream_panics_total", "wonted_swept_exchanges_total", "wonted_unprotected_exchanges_total"} {
		if n := s.metric(name); n != 0 {
			s.Errorf("%s is %v", name, n)
		}
	}
	for _, result := range []string{"late", "duplicate", "unknown", "intermediate", "unreadable", "panic"} {
		if n := s.metric("wonted_access_log_entries_total", `result="`+result+`"`); n != 0 {
			s.Errorf("%v entries of the access log are %s", n, result)
		}
	}
}
