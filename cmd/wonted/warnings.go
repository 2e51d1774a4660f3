package main

import (
	"fmt"

	"github.com/wonted-project/wonted/policy"
)

// unanswered is after how many exchanges without a single response something
// must be wrong with Envoy's configuration.
const unanswered = 100

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
	if n := s.stream.Stats(); n.Answered == 0 && n.Opened >= unanswered {
		all = append(all, fmt.Sprintf("%d exchanges and not one response: Envoy does not send response headers "+
			"when asked to; set allow_mode_override: true on its ext_proc filter", n.Opened))
	}
	if s.resolver.forwarded.Load() && s.cfg.TrustedProxies == 0 {
		all = append(all, "source addresses come from X-Forwarded-For, which clients can write: set use_remote_address: true "+
			"on Envoy's connection manager or, with proxies in front of it, trusted_proxies here and xff_num_trusted_hops there")
	}
	return append(all, s.trouble.list()...)
}
