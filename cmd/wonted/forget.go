package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/scoring/profile"
)

// newProfileForget makes a running wonted forget somebody.
func newProfileForget(std stdio) *cobra.Command {
	return answering(std, &cobra.Command{
		Use: "forget NAME|HASH|VALUE", Short: "Forget one caller, credential, session, user, address …",
		Long: `Forget somebody: the profile is erased from memory, and with it the day's part in
calibration and campaigns, where they have signed in from, and the decisions on
them that wonted why explains. All is saved anew, and what still holds them in
data_dir is removed: older snapshots, and what was set aside. Whoever it was is
new when they come again.

What is known of others stays: the addresses, networks and devices that were used
have profiles of their own, and so have the same person's credentials and
sessions. What is known of all stays: what is usual on a route and among peers,
not by whom. Who is under quarantine stays so until it ends or is released, under
the hash or name by which it is listed. The names of routes are words of paths as
clients wrote them; a recording (record.path) and the log are files of yours.`,
		Args: exactly(1),
	}, func(ctx context.Context, set *settings, args []string) (gone forgotten, err error) {
		who, err := askOne(ctx, set, args[0], "forgotten")
		if err != nil {
			return gone, err
		}
		err = askAdmin(ctx, set, http.MethodDelete, "/v1/profiles/"+who.ID, &gone)
		if err == nil && gone.ID == "" {
			err = unknown(args[0])
		}
		return gone, err
	}, func(w io.Writer, gone forgotten) error {
		_, err := fmt.Fprintf(w, "forgotten: %s %s\n", gone.Kind, gone.ID)
		return err
	})
}

// askOne asks for the one profile that who means; done is what becomes of it.
func askOne(ctx context.Context, set *settings, who, done string) (*profileView, error) {
	found, err := askProfiles(ctx, set, who)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, unknown(who)
	case len(found) > 1:
		var all strings.Builder
		for _, v := range found {
			fmt.Fprintf(&all, "\n%s %s %s", v.ID, v.Kind, v.Name)
		}
		return nil, misuse("name it by its hash, the first column", "%q may mean %d profiles, and one at a time is %s:%s", who, len(found), done, all.String())
	}
	return &found[0], nil
}

// forgotten is who was erased. Its JSON names are a contract.
type forgotten struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// Snapshot says whether one was written: "saved", or "none" where profiles
	// are in memory only.
	Snapshot string `json:"snapshot"`
}

// forget answers DELETE /v1/profiles/{id}.
func (h *web) forget(w http.ResponseWriter, r *http.Request) {
	key, ok := parseKey(r.PathValue("who"))
	if !ok {
		admin.Refuse(w, http.StatusBadRequest, "who is to be forgotten is named by a hash of 32 hex digits", "GET /v1/profiles/NAME shows it")
		return
	}
	v, ok := viewOf(h.sv.store, key, time.Now())
	if !ok {
		admin.JSON(w, http.StatusNotFound, forgotten{})
		return
	}
	admin.Note(r, v.Kind+" "+cmp.Or(v.Name, v.ID), "")
	if v.Kind == profile.KindRoute.String() || v.Kind == profile.KindLogin.String() {
		admin.Refuse(w, http.StatusConflict, "a "+v.Kind+" is nobody: what is usual on it was learned from all callers",
			"forget a caller, credential, session, user, address, network or device")
		return
	}
	switch err := h.sv.forget(key); {
	case err == errLent:
		admin.Refuse(w, http.StatusServiceUnavailable, "nothing was forgotten: "+err.Error(), "ask again when it has taken over")
	case err != nil:
		admin.Refuse(w, http.StatusInternalServerError, "forgotten in memory, but snapshots in data_dir still hold it: "+err.Error(),
			"mend the cause: the next snapshot that can be written removes the older ones")
	default:
		gone := forgotten{v.ID, v.Kind, "saved"}
		if h.sv.cfg.DataDir == "" {
			gone.Snapshot = "none"
		}
		admin.JSON(w, http.StatusOK, gone)
	}
}

// forget erases who it is here and on disk: a save after a forget leaves no
// older snapshot, and nothing that was set aside.
func (s *service) forget(k profile.Key) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.lent { // the successor has read it already
		return errLent
	}
	s.scorer.Forget(k)
	s.flights.Forget(k)
	s.blocks.Forget(k)
	s.forgotten = true
	erased := s.verdicts.forget(k)
	if s.cfg.DataDir == "" {
		return erased
	}
	return errors.Join(erased, s.write())
}
