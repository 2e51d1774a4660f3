package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/quarantine"
	"github.com/wonted-project/wonted/scoring/profile"
)

// quarantineBody is what POST /v1/quarantines takes. Its JSON names are a
// contract.
type quarantineBody struct {
	Entity string `json:"entity"`
	Value  string `json:"value"`         // name, hash or value; of addresses and networks themselves
	TTL    string `json:"ttl,omitempty"` // "15m"; without it the ladder says how long
	Reason string `json:"reason"`
	Force  bool   `json:"force,omitempty"`
}

// quarantineAnswer is what it answers, and GET /v1/quarantines/preview. Its JSON
// names are a contract.
type quarantineAnswer struct {
	Quarantine *policy.Block      `json:"quarantine"` // null: it is a preview
	Preview    quarantine.Preview `json:"preview"`
	Mode       policy.Mode        `json:"mode"` // shadow: nothing is refused yet
}

// quarantineList is what GET /v1/quarantines answers. Its JSON names are a
// contract.
type quarantineList struct {
	Quarantines []*policy.Block `json:"quarantines"` // the latest first
	Mode        policy.Mode     `json:"mode"`
}

// listQuarantines answers GET /v1/quarantines; with ?entity= and value= those of
// one entity.
func (h *web) listQuarantines(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	all := h.sv.blocks.List(now)
	if entity := r.FormValue("entity"); entity != "" {
		who, err := h.sv.blockable(entity, r.FormValue("value"), true)
		if err != nil {
			refuseQuarantine(w, err)
			return
		}
		all = slices.DeleteFunc(all, func(b *policy.Block) bool { return b.Key != who.Key })
	}
	admin.JSON(w, http.StatusOK, quarantineList{all, h.sv.gate.Mode()})
}

// addQuarantine answers POST /v1/quarantines.
func (h *web) addQuarantine(w http.ResponseWriter, r *http.Request) {
	var body quarantineBody
	if !admin.Body(w, r, &body) {
		return
	}
	who, err := h.sv.asked(&body)
	if err == nil && body.Reason == "" {
		err = &quarantine.Refusal{Why: "the reason is missing", Hint: "say --reason, for whoever finds it later"}
	}
	answer := quarantineAnswer{Mode: h.sv.gate.Mode()}
	if err == nil {
		who.Reason, who.Author = body.Reason, admin.Asker(r)
		answer.Quarantine, answer.Preview, err = h.sv.blocks.Add(who, time.Now())
	}
	if err != nil {
		refuseQuarantine(w, err)
		return
	}
	b := answer.Quarantine
	admin.Note(r, b.Entity+" "+cmp.Or(b.Name, b.Hash), b.Reason)
	admin.JSON(w, http.StatusOK, answer)
}

// previewQuarantine answers GET /v1/quarantines/preview, whose parameters are
// what POST /v1/quarantines takes.
func (h *web) previewQuarantine(w http.ResponseWriter, r *http.Request) {
	body := quarantineBody{Entity: r.FormValue("entity"), Value: r.FormValue("value"), TTL: r.FormValue("ttl"), Force: r.FormValue("force") == "true"}
	who, err := h.sv.asked(&body)
	answer := quarantineAnswer{Mode: h.sv.gate.Mode()}
	if err == nil {
		answer.Preview, err = h.sv.blocks.Preview(who, time.Now())
	}
	if err != nil {
		refuseQuarantine(w, err)
		return
	}
	admin.JSON(w, http.StatusOK, answer)
}

// asked is the block that a body asks for.
func (s *service) asked(b *quarantineBody) (quarantine.Request, error) {
	who, err := s.blockable(b.Entity, b.Value, b.Force)
	if err == nil {
		who.Force = b.Force
		who.TTL, err = quarantine.ParseTTL(b.TTL)
	}
	return who, err
}

// released answers DELETE /v1/quarantines/{id}; of none: it is empty. Its JSON
// names are a contract.
type released struct {
	policy.Block
	Warning string `json:"warning,omitempty"`
}

func (h *web) releaseQuarantine(w http.ResponseWriter, r *http.Request) {
	b, err := h.sv.blocks.Release(r.PathValue("id"), cmp.Or(admin.Asker(r), "operator"), time.Now())
	if b == nil {
		admin.JSON(w, http.StatusNotFound, released{})
		return
	}
	admin.Note(r, b.Entity+" "+cmp.Or(b.Name, b.Hash), "")
	admin.JSON(w, http.StatusOK, released{*b, unwritten(err)})
}

// unwritten is the warning that what was undone is not in data_dir.
func unwritten(err error) string {
	if err == nil {
		return ""
	}
	return "a restart would bring it back until data_dir can be written: " + err.Error()
}

func refuseQuarantine(w http.ResponseWriter, err error) {
	hint := ""
	if no, ok := errors.AsType[*quarantine.Refusal](err); ok {
		hint = no.Hint
	}
	admin.Refuse(w, http.StatusBadRequest, err.Error(), hint)
}

// blockable is the entity that an operator names: by the hash or the name that
// reports print, or by the value itself. One that was never seen is a typing
// error, unless anyway says otherwise.
func (s *service) blockable(entity, value string, anyway bool) (r quarantine.Request, err error) {
	kind, _ := profile.ParseKind(entity)
	switch {
	case !slices.Contains(policy.Quarantinable, entity):
		return r, &quarantine.Refusal{Why: fmt.Sprintf("there is no entity %q to block", entity), Hint: didYouMean(entity, policy.Quarantinable, "")}
	case value == "":
		return r, &quarantine.Refusal{Why: "it is not said which " + entity, Hint: "give a name, a hash or the value itself"}
	case entity == "address" || entity == "network":
		return s.blocks.Place(entity, value)
	}
	var found []profileView
	for _, v := range matching(s.store, s.resolver.Load(), value, time.Now()) {
		if v.Kind == entity {
			found = append(found, v)
		}
	}
	switch _, placed := netip.ParseAddr(value); {
	case len(found) > 1:
		return r, &quarantine.Refusal{Why: fmt.Sprintf("%d are known as that %s", len(found), entity), Hint: "name one by its hash, which wonted profile show and reports print"}
	case len(found) == 1:
		key, _ := parseKey(found[0].ID)
		return quarantine.Request{Entity: entity, Key: key, Name: found[0].Name}, nil
	case placed == nil:
		return r, &quarantine.Refusal{Why: fmt.Sprintf("%s is an address, and no %s is known by it", value, entity), Hint: "wonted quarantine add address " + value}
	case !anyway:
		return r, &quarantine.Refusal{Why: "no " + entity + " is known by that", Hint: "give the hash or name that a report prints, or the value of the header, cookie or claim that identity: names; with --force it is blocked unseen"}
	}
	key, ok := parseKey(value)
	if !ok {
		key = s.resolver.Load().Key(kind, []byte(value))
	}
	return quarantine.Request{Entity: entity, Key: key}, nil
}
