package main

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/policy/exception"
	"github.com/wonted-project/wonted/scoring/profile"
)

// exceptionsFile is in data_dir.
const exceptionsFile = "exceptions"

func (s *service) openExceptions() error {
	s.excepted = exception.New()
	s.reg.MustRegister(exceptionMetrics{s.excepted})
	return s.load(exceptionsFile, "nobody is excepted from any rule until it is said again", s.excepted.Decode)
}

// saveExceptions is for who holds saving.
func (s *service) saveExceptions() error {
	if s.cfg.DataDir == "" {
		return nil
	}
	return profile.ReplaceFile(filepath.Join(s.cfg.DataDir, exceptionsFile), s.excepted.Encode(time.Now()))
}

// changeExceptions changes the list and its file: what is said to be done is
// durable.
func (s *service) changeExceptions(change func() error) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.lent { // the successor has read the file already
		return errLent
	}
	if err := change(); err != nil {
		return err
	}
	if err := s.saveExceptions(); err != nil {
		return fmt.Errorf("%w: %w", errNotDurable, err)
	}
	return nil
}

var errNotDurable = errors.New("it is in force, and would be forgotten at a restart")

// newExceptionBody is what POST /v1/exceptions takes. Its JSON names are a
// contract.
type newExceptionBody struct {
	exception.Match
	Owner   string     `json:"owner"`
	Reason  string     `json:"reason"`
	TTL     string     `json:"ttl,omitempty"`     // "24h", or
	Expires *time.Time `json:"expires,omitempty"` // RFC 3339
}

// exceptionList is what GET /v1/exceptions answers. Its JSON names are a contract.
type exceptionList struct {
	Exceptions []exception.Listed `json:"exceptions"`
}

func (h *web) listExceptions(w http.ResponseWriter, _ *http.Request) {
	admin.JSON(w, http.StatusOK, exceptionList{h.sv.excepted.All(time.Now())})
}

func (h *web) addException(w http.ResponseWriter, r *http.Request) {
	var body newExceptionBody
	if !admin.Body(w, r, &body) {
		return
	}
	now := time.Now()
	x := exception.Exception{Owner: body.Owner, Reason: body.Reason, Match: body.Match}
	err := body.until(&x, now)
	if err == nil {
		err = h.sv.whom(&x.Match)
	}
	if err == nil {
		err = h.sv.changeExceptions(func() error {
			x, err = h.sv.excepted.Add(x, now)
			return err
		})
	}
	if err != nil {
		refuseException(w, err)
		return
	}
	admin.Note(r, x.ID+" of "+x.Of(), x.Reason)
	h.sv.log.Info().Str("exception", x.ID).Str("of", x.Of()).Str("owner", x.Owner).Str("reason", x.Reason).Time("expires", x.Expires).Msg("an exception is in force")
	admin.JSON(w, http.StatusOK, x)
}

func (b *newExceptionBody) until(x *exception.Exception, now time.Time) error {
	switch {
	case (b.TTL == "") == (b.Expires == nil):
		return errors.New("expires: say either ttl or expires; a ttl is written like 24h, a time like 2026-12-31T18:00:00Z")
	case b.Expires != nil:
		x.Expires = *b.Expires
		return nil
	}
	ttl, err := time.ParseDuration(b.TTL)
	if err != nil {
		return fmt.Errorf("ttl: %q is no duration; write it like 90m or 24h", b.TTL)
	}
	x.Expires = now.Add(ttl)
	return nil
}

// whom turns names and values into hashes: what data_dir holds must not be an API
// key.
func (s *service) whom(m *exception.Match) error {
	m.CallerName = ""
	for _, f := range []struct {
		kind profile.Kind
		who  *string
		name *string
	}{{profile.KindCaller, &m.Caller, &m.CallerName}, {profile.KindCredential, &m.Credential, nil}} {
		if *f.who == "" {
			continue
		}
		found := matching(s.store, s.resolver.Load(), *f.who, time.Now())
		var ids []string
		for _, v := range found {
			if v.Kind == f.kind.String() {
				ids = append(ids, v.ID)
				if f.name != nil {
					*f.name = v.Name
				}
			}
		}
		if _, hash := parseKey(*f.who); hash && len(ids) == 0 {
			continue // who is not known yet may be named by a hash
		}
		if len(ids) != 1 {
			return fmt.Errorf("%s: %d are known by that; name it by its hash, which wonted profile show and reports print", f.kind, len(ids))
		}
		*f.who = ids[0]
	}
	return nil
}

func refuseException(w http.ResponseWriter, err error) {
	switch {
	case err == errLent:
		admin.Refuse(w, http.StatusServiceUnavailable, "nothing was changed: "+err.Error(), "ask again when it has taken over")
	case errors.Is(err, errNotDurable):
		admin.Refuse(w, http.StatusInternalServerError, err.Error(), "mend data_dir; the next snapshot that can be written has it")
	default:
		problem, hint, _ := strings.Cut(err.Error(), "; ")
		admin.Refuse(w, http.StatusBadRequest, problem, hint)
	}
}

// removed answers DELETE /v1/exceptions/{id}; of none: it is empty.
func (h *web) removeException(w http.ResponseWriter, r *http.Request) {
	var x exception.Exception
	var ok bool
	err := h.sv.changeExceptions(func() error {
		x, ok = h.sv.excepted.Remove(r.PathValue("id"), time.Now())
		return nil
	})
	switch {
	case err != nil:
		refuseException(w, err)
	case !ok:
		admin.JSON(w, http.StatusNotFound, exception.Exception{})
	default:
		admin.Note(r, x.ID+" of "+x.Of(), "")
		h.sv.log.Info().Str("exception", x.ID).Str("of", x.Of()).Str("owner", x.Owner).Msg("an exception has been removed")
		admin.JSON(w, http.StatusOK, x)
	}
}

// exceptionMetrics show the list; there are bounded many, each with a label of
// its own.
type exceptionMetrics struct{ list *exception.List }

var (
	exceptionsDesc    = prometheus.NewDesc("wonted_exceptions", "Exceptions from rules, by state.", []string{"state"}, nil)
	exceptionHitsDesc = prometheus.NewDesc("wonted_exception_hits_total", "Exchanges in which an exception lifted what a rule wanted.", []string{"exception"}, nil)
)

func (exceptionMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- exceptionsDesc
	ch <- exceptionHitsDesc
}

func (m exceptionMetrics) Collect(ch chan<- prometheus.Metric) {
	states := map[string]int{"active": 0, "expired": 0}
	for _, x := range m.list.All(time.Now()) {
		states[x.State]++
		ch <- prometheus.MustNewConstMetric(exceptionHitsDesc, prometheus.CounterValue, float64(x.Hits), x.ID)
	}
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(exceptionsDesc, prometheus.GaugeValue, float64(n), state)
	}
}
