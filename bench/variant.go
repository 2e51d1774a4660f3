package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/envoy"
)

// targetName is the variant of an Envoy that runs already.
const targetName = "target"

// messageTimeout is how long Envoys of the harness wait for a processor. It is
// far longer than one would have in service: what is slow shall be seen as
// latency, in every variant, and not as an error in one.
const messageTimeout = 5 * time.Second

// design is what a variant is made of.
type design struct {
	Variant
	depth  string               // of wonted; "": it is none
	copies int                  // how many of wonted; 0: none
	bodies bool                 // a reference processor that gets the response bodies
	peer   *Peer                // somebody else's processor
	shape  func(*envoy.Options) // of the Envoy; its processor's address is filled in
}

const enforceSuffix = "-enforce"

// designs are the variants of the harness's own, in the order in which they are
// shown.
var designs = []design{
	{Variant: Variant{Name: Bare, Does: "Envoy alone: no filter, no log", State: "none", Decision: "none"},
		shape: func(o *envoy.Options) { o.Bare = true }},
	{Variant: Variant{Name: Noop, Does: "ext_proc as one writes it first (grpc-go as it comes, generated types): both header messages, always CONTINUE", State: "none", Decision: "none"},
		shape: func(o *envoy.Options) { o.Depth, o.ResponseHeaders = envoy.DepthHeaders, true }},
	{Variant: Variant{Name: "noop-bodies", Does: "the same, and every chunk of the response body, looked at by nobody", State: "none", Decision: "none"},
		bodies: true,
		shape:  func(o *envoy.Options) { o.Depth, o.ResponseHeaders, o.ResponseBodies = envoy.DepthHeaders, true, true }},
	wontedDesign(envoy.DepthLog, "wonted out of the request path: profiles, scores and verdicts from Envoy's gRPC access log alone", false),
	wontedDesign(envoy.DepthLean, "wonted, one message a request, the rest from the access log", false),
	wontedDesign(envoy.DepthAdaptive, "wonted, one message a request and the access log; the response where route, policy or caller ask for it", true),
	wontedDesign(envoy.DepthHeaders, "wonted, both header messages, the response body where the caller is new or odd", true),
	severalDesign(2, "two wonted, both header messages; Envoy shares the callers out between them"),
	wontedDesign(envoy.DepthBodies, "wonted, both header messages, every response body streamed and its records counted", true),
}

func wontedDesign(depth envoy.Depth, does string, payload bool) design {
	return design{
		Variant: Variant{Name: "wonted-" + string(depth), Does: does, Mode: "shadow", Payload: payload, State: "profiles", Decision: "remembered"},
		depth:   string(depth),
		copies:  1,
		shape:   func(o *envoy.Options) { o.Depth = depth },
	}
}

// severalDesign is what a ring of wonted costs. Its depth is one without an
// access log, which cannot be shared out.
func severalDesign(n int, does string) design {
	d := wontedDesign(envoy.DepthHeaders, does, true)
	d.Name += fmt.Sprintf("-x%d", n)
	d.copies = n
	return d
}

// Names are the names of all variants, in the order in which they are shown.
func Names() (all []string) {
	for _, d := range designs {
		all = append(all, d.Name)
		if d.depth != "" {
			all = append(all, d.Name+enforceSuffix)
		}
	}
	return all
}

// variant finds a design by name.
func (p *Plan) variant(name string) (design, error) {
	for _, peer := range p.Peers {
		if peer.Kind == name {
			return peer.design(), nil
		}
	}
	if name == targetName && p.Target != "" {
		return design{Variant: Variant{Name: targetName, Does: "what runs at " + p.Target, State: "unknown", Decision: "unknown"}}, nil
	}
	plain, enforce := strings.CutSuffix(name, enforceSuffix)
	i := slices.IndexFunc(designs, func(d design) bool { return d.Name == plain && (!enforce || d.depth != "") })
	if i < 0 {
		return design{}, fmt.Errorf("there is no variant %q; there are %s", name, strings.Join(Names(), ", "))
	}
	d := designs[i]
	if enforce {
		d.Name, d.Mode = name, "enforce"
	}
	return d, nil
}

func (d *design) expect() expectation {
	switch {
	case d.Name == targetName:
		return anything
	case d.Mode == "enforce":
		return enforced
	default:
		return exact
	}
}
