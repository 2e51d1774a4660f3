package envoy

import (
	"fmt"
	"slices"
	"strings"
)

// Depth is how much of an exchange Envoy shows to wonted. What wonted is told
// by its own configuration must be the same: who awaits an access log that is
// not sent learns nothing, who awaits a response that is not sent neither.
type Depth string

// The depths, by what they cost. "" is DepthAdaptive.
const (
	// DepthLog has no filter in the request's way: the access log alone, after
	// the fact. Nothing can be refused.
	DepthLog Depth = "log"
	// DepthLean asks wonted once a request; how it ended comes with the log.
	DepthLean Depth = "lean"
	// DepthAdaptive is lean, and wonted asks for the response of those
	// exchanges where it matters.
	DepthAdaptive Depth = "adaptive"
	// DepthHeaders asks wonted for every request and every response; no log.
	DepthHeaders Depth = "headers"
	// DepthBodies has every response body counted as it passes; no log.
	DepthBodies Depth = "bodies"
)

var depths = []Depth{DepthLog, DepthLean, DepthAdaptive, DepthHeaders, DepthBodies}

func (d Depth) validate() error {
	if slices.Contains(depths, d) {
		return nil
	}
	names := make([]string, len(depths))
	for i, each := range depths {
		names[i] = string(each)
	}
	return fmt.Errorf("depth: %q is none of %s", string(d), strings.Join(names, ", "))
}

// inline says whether wonted stands in the request's way.
func (d Depth) inline() bool { return d != DepthLog }

// logged says whether wonted receives the access log.
func (d Depth) logged() bool {
	return d == DepthLog || d == DepthLean || d == DepthAdaptive
}
