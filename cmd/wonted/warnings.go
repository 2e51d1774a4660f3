package main

import (
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
	all = append(all, s.misconfigured()...)
	return append(all, s.trouble.list()...)
}
