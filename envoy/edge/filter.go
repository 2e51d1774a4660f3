package edge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	matcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	inputsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/matching/common_inputs/network/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/wonted-project/wonted/envoy"
)

// policyName is what Envoy's access log gives as the reason of a refusal:
// rbac_access_denied_matched_policy[wonted-quarantine].
const policyName = "wonted-quarantine"

// state is the filter's configuration at one time.
type state struct {
	blocks  []netip.Prefix
	version string // of the content: the same wherever it is the same
	config  *corev3.TypedExtensionConfig
}

func newState(blocks []netip.Prefix) *state {
	rbac := &filterv3.RBAC{} // lets everybody through
	if len(blocks) > 0 {
		rbac.Matcher = refusing(blocks)
	}
	packed := pack(rbac)
	sum := sha256.Sum256(packed.Value)
	return &state{
		blocks:  blocks,
		version: hex.EncodeToString(sum[:8]),
		config:  &corev3.TypedExtensionConfig{Name: envoy.BlocksName, TypedConfig: packed},
	}
}

// refusing matches by the address that Envoy takes for the client's, which is
// the one that wonted is told: the peer's, or with trusted proxies the one that
// the last of them wrote. Envoy makes a trie of the networks; a list of
// principals it would walk for every request, 0.2 ms at 10,000.
//
// A request that nothing matches is refused by default: on_no_match is what
// lets everybody else through.
func refusing(blocks []netip.Prefix) *matcherv3.Matcher {
	ranges := make([]*xdscorev3.CidrRange, len(blocks))
	for i, p := range blocks {
		ranges[i] = &xdscorev3.CidrRange{AddressPrefix: p.Addr().String(), PrefixLen: wrapperspb.UInt32(uint32(p.Bits()))}
	}
	return &matcherv3.Matcher{
		MatcherType: &matcherv3.Matcher_MatcherTree_{MatcherTree: &matcherv3.Matcher_MatcherTree{
			Input: extension("envoy.matching.inputs.source_ip", &inputsv3.SourceIPInput{}),
			TreeType: &matcherv3.Matcher_MatcherTree_CustomMatch{
				CustomMatch: extension("envoy.matching.custom_matchers.ip", &matcherv3.IPMatcher{
					RangeMatchers: []*matcherv3.IPMatcher_IPRangeMatcher{{
						Ranges: ranges, OnMatch: action(policyName, rbacv3.RBAC_DENY),
					}},
				}),
			},
		}},
		OnNoMatch: action("everybody else", rbacv3.RBAC_ALLOW),
	}
}

func action(name string, what rbacv3.RBAC_Action) *matcherv3.Matcher_OnMatch {
	return &matcherv3.Matcher_OnMatch{OnMatch: &matcherv3.Matcher_OnMatch_Action{
		Action: extension("envoy.filters.rbac.action", &rbacv3.Action{Name: name, Action: what}),
	}}
}

func extension(name string, m proto.Message) *xdscorev3.TypedExtensionConfig {
	return &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: pack(m)}
}

// pack is the same for the same message, so that a version can be made of it.
// All that goes in is valid: a failure is a fault of this package.
func pack(m proto.Message) *anypb.Any {
	packed := new(anypb.Any)
	if err := anypb.MarshalFrom(packed, m, proto.MarshalOptions{Deterministic: true}); err != nil {
		panic(fmt.Sprintf("edge: %T: %v", m, err))
	}
	return packed
}
