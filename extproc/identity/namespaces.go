package identity

import "slices"

// Namespaces are those of Envoy's filter metadata that the rules read. Envoy
// sends only what metadata_options.forwarding_namespaces of its filter names.
// Rules must be valid.
func (c Config) Namespaces() (all []string) {
	for _, r := range c {
		rule, err := r.compile()
		if err != nil {
			continue
		}
		for _, s := range []source{rule.source, rule.name} {
			name := s.namespace
			if s.op == opClaim {
				name = jwtNamespace
			}
			if name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
