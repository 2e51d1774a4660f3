package main

import (
	"fmt"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc"
	"github.com/wonted-project/wonted/policy"
)

// warnings are what an operator should know while all goes well enough to
// serve: /readyz prints them.
func (s *service) warnings() []string {
	s.reload.Lock()
	all := append([]string(nil), s.cfg.Warnings...)
	s.reload.Unlock()
	if s.gate.Mode() == policy.Shadow {
		all = append(all, "mode is shadow: verdicts are recorded, not carried out")
	}
	if s.cfg.IdentityKey == "" && s.cfg.DataDir == "" {
		all = append(all, "profiles are in memory only (no data_dir) and end with the process")
	}
	all = append(all, unseen(s.cfg.Depth, s.stream.Stats())...)
	all = append(all, s.misconfigured()...)
	return append(all, s.trouble.list()...)
}

// unseen is what has passed wonted by. The text stays for ten minutes after the
// last such request, since a restart of wonted under fail open is one cause.
func unseen(depth config.Depth, st extproc.Stats) (all []string) {
	if depth == config.Log && st.Entries == 0 {
		all = append(all, "depth is log, and no entry of an access log has come yet: nothing is known until Envoy sends it (wonted envoy config --depth log)")
	}
	if st.Unprotected > 0 {
		all = append(all, fmt.Sprintf("%d requests lately reached an upstream unjudged, by the access log: "+
			"wonted was away or too slow and Envoy fails open, or a route disables its filter", st.Unprotected))
	}
	return all
}
