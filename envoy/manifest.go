package envoy

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// manifest is a Kubernetes object as far as it is written here.
type manifest struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       any      `yaml:"spec"`
}

type metadata struct {
	Name      string `yaml:"name"`
	Namespace string `yaml:"namespace,omitempty"`
}

// value is a message, or a part of one, inside a manifest.
func value(m proto.Message) yaml.MapSlice {
	fields, err := tree(m)
	if err != nil { // options are checked for UTF-8 before
		panic(fmt.Sprintf("envoy: %T: %v", m, err))
	}
	return fields
}

// incomplete packs a message that is merged into a whole one, and for that is
// valid in its parts only.
func incomplete(m proto.Message) *anypb.Any {
	packed, err := anypb.New(m)
	if err != nil {
		panic(fmt.Sprintf("envoy: %T: %v", m, err))
	}
	return packed
}

// stream writes manifests as one YAML stream with reasons above their lines.
func stream(preamble string, reasons []reason, all []manifest) ([]byte, error) {
	var out strings.Builder
	out.WriteString(preamble)
	for i, m := range all {
		text, err := yaml.MarshalWithOptions(m, yaml.IndentSequence(false))
		if err != nil {
			return nil, fmt.Errorf("envoy manifest %s: %w", m.Kind, err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.WriteString(explain(reasons, text))
	}
	return []byte(out.String()), nil
}

// label is a DNS label, which names of objects and namespaces are at the least.
var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (f *faults) label(what, name string) {
	if !label.MatchString(name) {
		f.refuse("%s: %q is not a name in Kubernetes: small letters, digits and hyphens", what, name)
	}
}

// forManager are options for an Envoy that somebody else's control plane
// configures: who says what of it, and what is refused here for that.
func (o Options) forManager(f *faults, who string) Options {
	o = o.withDefaults()
	o.managed = true
	given := func(what string, is bool) {
		if is {
			f.refuse("%s: %s configures this itself: leave it out", what, who)
		}
	}
	given("listen", o.Listen != "")
	given("admin", o.Admin != defaultAdmin)
	given("upstream", o.Upstream != "" || o.UpstreamHTTP2)
	given("tls", o.TLS != nil)
	given("concurrency", o.Concurrency != 0)
	if o.Bare || o.ExtAuthz != "" {
		f.refuse("wonted: there is nothing to add to %s without it", who)
	}
	if o.Readiness != "" && o.Readiness != ReadinessPod {
		f.refuse("readiness: %q: in a pod its own readiness probe asks wonted: say %q", o.Readiness, ReadinessPod)
	}
	o.validateWonted(f)
	o.validateTokens(f)
	o.validatePrinted(f)
	return o
}
