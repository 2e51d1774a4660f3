package scoring

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// CohortRule sets the cohort of whoever it matches, whatever they behave like.
// All conditions that are given must hold, at least one. The first rule that
// matches counts; rules of one name make one cohort.
type CohortRule struct {
	Name     string `yaml:"name"`     // lower-case letters, digits and hyphens
	Identity string `yaml:"identity"` // the caller's display name, with at most one * for any text
	Rule     string `yaml:"rule"`     // the identity rule that named the caller, as reports tell it: "header x-api-key"
	Network  string `yaml:"network"`  // that the address lies in: 10.0.0.0/8
}

// CohortRules are the operator's cohorts.
type CohortRules []CohortRule

// mostCohortRules bounds what every request is held against.
const mostCohortRules = 64

var cohortName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Validate returns the first complaint; it begins "cohorts rule N: ".
func (r CohortRules) Validate() error {
	_, err := r.compile()
	return err
}

// namedCohorts are rules as they are asked.
type namedCohorts struct {
	rules []namedRule
	names [Cohorts]string
}

type namedRule struct {
	cohort         Cohort
	glob           bool
	prefix, suffix string
	rule           string
	network        netip.Prefix // none: not asked
}

func (r CohortRules) compile() (*namedCohorts, error) {
	n := &namedCohorts{}
	for c := range FirstNamed {
		n.names[c] = c.String()
	}
	if len(r) > mostCohortRules {
		return n, fmt.Errorf("cohorts rule %d: there are %d rules, and at most %d are allowed", mostCohortRules+1, len(r), mostCohortRules)
	}
	next := FirstNamed
	for i, rule := range r {
		fault := func(format string, args ...any) error {
			return fmt.Errorf("cohorts rule %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		own := slices.Contains(n.names[:FirstNamed], rule.Name)
		switch {
		case !cohortName.MatchString(rule.Name):
			return n, fault("%q is no name: lower-case letters, digits and hyphens, at most 32", rule.Name)
		case own:
			return n, fault("%q is a class that wonted finds itself: choose another name", rule.Name)
		case rule.Identity == "" && rule.Rule == "" && rule.Network == "":
			return n, fault("it matches nobody: give identity, rule or network")
		case strings.Count(rule.Identity, "*") > 1:
			return n, fault("identity %q has more than one *", rule.Identity)
		}
		of := namedRule{rule: rule.Rule}
		of.prefix, of.suffix, of.glob = strings.Cut(rule.Identity, "*")
		if rule.Network != "" {
			var err error
			if of.network, err = netip.ParsePrefix(rule.Network); err != nil {
				return n, fault("network %q is none: 10.0.0.0/8, 2001:db8::/32", rule.Network)
			}
			of.network = of.network.Masked()
		}
		if at := slices.Index(n.names[:], rule.Name); at >= 0 {
			of.cohort = Cohort(at)
		} else if int(next) == Cohorts {
			return n, fault("%q is the ninth name, and at most eight are allowed", rule.Name)
		} else {
			of.cohort = next
			n.names[next] = rule.Name
			next++
		}
		n.rules = append(n.rules, of)
	}
	return n, nil
}

// of is the cohort that a rule says of the exchange's caller; CohortNew: none does.
func (n *namedCohorts) of(ex *Exchange) Cohort {
	who := &ex.Entities[stands(ex)]
	for i := range n.rules {
		if n.rules[i].matches(ex, who) {
			return n.rules[i].cohort
		}
	}
	return CohortNew
}

func (r *namedRule) matches(ex *Exchange, who *Identity) bool {
	switch {
	case r.rule != "" && r.rule != who.Rule,
		r.network.IsValid() && !r.network.Contains(ex.Address.Unmap().WithZone("")):
		return false
	case r.glob:
		return len(who.Name) >= len(r.prefix)+len(r.suffix) &&
			bytes.HasPrefix(who.Name, []byte(r.prefix)) && bytes.HasSuffix(who.Name, []byte(r.suffix))
	}
	return r.prefix == "" || string(who.Name) == r.prefix
}
