package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// newProfileAccept makes a running wonted take a lasting change for usual.
func newProfileAccept(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "accept NAME|HASH|VALUE", Short: "Accept that somebody's habits have changed for good",
		Long: `Accept what was anomalous of somebody lately as what is usual from now on: a
customer that has grown, a job that does ten times as much since a release. Only
what was let pass can be accepted: what a policy denied was never seen whole.
Without this, wonted accepts a change of its own when it has lasted for five days
and ten sessions, up to sixteen times the usual, with no new device or network
within a month, or when the cohort has changed likewise.`,
		Args: exactly(1),
	}, func(ctx context.Context, set *settings, args []string) (is accepted, err error) {
		who, err := askOne(ctx, set, args[0], "accepted")
		if err != nil {
			return is, err
		}
		err = askAdmin(ctx, set, http.MethodPost, "/v1/profiles/"+who.ID+"/accept", &is)
		return is, err
	}, func(w io.Writer, is accepted) error {
		_, err := fmt.Fprintf(w, "accepted: %s %s, %s times what was usual\n", is.Kind, is.ID, amount(is.Times))
		return err
	})
}

// accepted is whose habits were replaced. Its JSON names are a contract.
type accepted struct {
	ID    string  `json:"id"`
	Kind  string  `json:"kind"`
	Times float64 `json:"times"` // the new usual, in requests or bytes of ten minutes, by the old
}

// accept answers POST /v1/profiles/{id}/accept.
func (h *web) accept(w http.ResponseWriter, r *http.Request) {
	key, ok := parseKey(r.PathValue("who"))
	if !ok {
		admin.Refuse(w, http.StatusBadRequest, "whose habits are to be accepted is named by a hash of 32 hex digits", "GET /v1/profiles/NAME shows it")
		return
	}
	switch is, err := h.sv.accept(key); {
	case err == errLent:
		admin.Refuse(w, http.StatusServiceUnavailable, "nothing was accepted: "+err.Error(), "ask again when it has taken over")
	case errors.Is(err, scoring.ErrNothingRejected):
		admin.Refuse(w, http.StatusConflict, "nothing is waiting to be accepted: "+err.Error(), "wonted profile show tells what is usual")
	default:
		admin.Note(r, is.Kind.String()+" "+cmp.Or(is.Name, hashOf(is.Key)), "")
		admin.JSON(w, http.StatusOK, accepted{hashOf(is.Key), is.Kind.String(), is.Times})
	}
}

// accept is not for a profile that a successor has read already.
func (s *service) accept(k profile.Key) (scoring.Replacement, error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.lent {
		return scoring.Replacement{}, errLent
	}
	return s.scorer.Accept(k)
}

func hashOf(k profile.Key) string { return fmt.Sprintf("%016x%016x", k.Hi, k.Lo) }

// tellReplaced counts the baselines that were replaced, and logs each: what was
// anomalous is usual from then on, and an attacker would like nobody to know.
func tellReplaced(reg prometheus.Registerer, log zerolog.Logger) func(scoring.Replacement) {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wonted_baselines_replaced_total",
		Help: "Baselines replaced by what had been anomalous, by whose word: time, cohort or operator."}, []string{"by"})
	for by := scoring.ByTime; int(by) < scoring.Bys; by++ {
		total.WithLabelValues(by.String())
	}
	reg.MustRegister(total)
	return func(r scoring.Replacement) {
		total.WithLabelValues(r.By.String()).Inc()
		log.Warn().Str("id", hashOf(r.Key)).Str("kind", r.Kind.String()).Str("name", r.Name).Str("by", r.By.String()).Float64("times", r.Times).
			Msg("what was anomalous of a profile is usual from now on")
	}
}
