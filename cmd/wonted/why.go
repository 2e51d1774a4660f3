package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/policy"
)

// newWhy explains a verdict.
func newWhy(std stdio) *cobra.Command {
	var last bool
	cmd := &cobra.Command{
		Use: "why ID | --last", Short: "Explain a verdict: who, what, against what was usual",
		Long: `Explain a verdict: who asked for what, which rule said what is to be done, what
was observed where something else is usual, what would have passed, and what else
the caller did lately: its last 64 exchanges, from before it was suspicious on.

ID is the decision id: the member decision_id of the answer to whoever was
refused, "id" in the log. Every exchange that was not plainly allowed has one,
in shadow mode, too. The last 2,048 are kept in memory; with data_dir 64 MiB are
kept there, some ten thousand, also after a restart. Asks the admin listener of
the wonted that is running on this machine.`,
		Example: `  wonted why 5f0c8e1a2b3c4d5e6f708192a3b4c5d6
  wonted why --last --output json`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case last && len(args) > 0:
				return misuse("leave one of them out", "--last and %q are two decisions", args[0])
			case last:
				return nil
			case len(args) != 1:
				return misuse("--last explains the latest", "wonted why takes one decision id, got %d", len(args))
			case !isDecisionID(args[0]):
				return misuse("it is the decision_id of the answer to a refused request, and the id in the log", "%q is no decision id, which is 32 hex digits", args[0])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&last, "last", false, "explain the latest decision")
	return answering(std, cmd, askDecision, writeDecision)
}

func isDecisionID(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 32
}

// askDecision asks the wonted that is running for one decision, or for the latest.
func askDecision(ctx context.Context, set *settings, args []string) (*decisionView, error) {
	var id string
	if len(args) == 0 {
		var all decisionList
		if err := askAdmin(ctx, set, http.MethodGet, "/v1/decisions?limit=1", &all); err != nil {
			return nil, err
		}
		if len(all.Decisions) == 0 {
			return nil, advise(errors.New("there is no decision to explain"), "every exchange so far was plainly allowed")
		}
		id = all.Decisions[0].ID
	} else {
		id = strings.ToLower(args[0])
	}
	var answer struct {
		decisionView
		admin.Refusal
	}
	if err := askAdmin(ctx, set, http.MethodGet, "/v1/decisions/"+id, &answer); err != nil {
		return nil, err
	}
	if answer.ID == "" {
		return nil, advise(errors.New(cmp.Or(answer.Error, "this wonted knows no decisions")), "%s", answer.Hint)
	}
	return &answer.decisionView, nil
}

// decisionList is what GET /v1/decisions answers, the newest first.
type decisionList struct {
	Decisions []*policy.Report `json:"decisions"`
}

// decisions answers GET /v1/decisions?limit=N.
func (h *web) decisions(w http.ResponseWriter, r *http.Request) {
	limit := 100
	if s := r.URL.Query().Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			admin.Refuse(w, http.StatusBadRequest, fmt.Sprintf("limit is a number from 1, not %q", s), "leave it out for 100")
			return
		}
		limit = n
	}
	list := decisionList{[]*policy.Report{}}
	for _, d := range h.sv.verdicts.newest(limit) {
		list.Decisions = append(list.Decisions, &d.Report)
	}
	admin.JSON(w, http.StatusOK, list)
}

// decision answers GET /v1/decisions/{id}.
func (h *web) decision(w http.ResponseWriter, r *http.Request) {
	id := strings.ToLower(r.PathValue("id"))
	if !isDecisionID(id) {
		admin.Refuse(w, http.StatusBadRequest, "a decision id is 32 hex digits", "it is the decision_id of the answer to a refused request, and the id in the log")
		return
	}
	switch found, err := h.sv.verdicts.find(id); {
	case err != nil:
		admin.Refuse(w, http.StatusInternalServerError, "the decisions in data_dir cannot be read: "+err.Error(), "make them readable for the user that runs wonted")
	case found == nil:
		admin.Refuse(w, http.StatusNotFound, "decision "+id+" is not known", h.sv.verdicts.reach())
	default:
		admin.JSON(w, http.StatusOK, viewDecision(found, h.sv.routeName))
	}
}

// reach says from when on decisions are known, for who asks for another.
func (d *decisions) reach() string {
	since := d.since()
	switch {
	case since.IsZero():
		return "no decision is kept: every exchange so far was plainly allowed, or wonted has restarted without data_dir"
	case d.name == "":
		return fmt.Sprintf("without data_dir the last %d are kept, in memory: the oldest is of %s; what was plainly allowed is never kept", decisionsInMind, since.Format(time.RFC3339))
	}
	return fmt.Sprintf("the oldest that is kept is of %s; what was plainly allowed is never kept", since.Format(time.RFC3339))
}
