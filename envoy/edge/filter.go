package edge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
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

// newState makes the configuration that refuses these blocks, sorted and
// without overlaps as admit has them, and lets everybody else through: DENY
// refuses whom a policy matches, and without rules there is nothing to match.
func newState(blocks []netip.Prefix) *state {
	rbac := new(filterv3.RBAC)
	if len(blocks) > 0 {
		rbac.Rules = &rbacv3.RBAC{Action: rbacv3.RBAC_DENY, Policies: map[string]*rbacv3.Policy{policyName: {
			Permissions: []*rbacv3.Permission{{Rule: &rbacv3.Permission_Any{Any: true}}},
			Principals:  anyOf(blocks, 0),
		}}}
	}
	packed := pack(rbac)
	sum := sha256.Sum256(packed.Value)
	return &state{
		blocks:  blocks,
		version: hex.EncodeToString(sum[:8]),
		config:  &corev3.TypedExtensionConfig{Name: envoy.BlocksName, TypedConfig: packed},
	}
}

// few networks are compared one by one: Envoy takes some 15 ns for each.
const few = 16

// anyOf are principals of which one matches whoever is in one of the blocks. All
// of these agree in their first bits, a number of whole bytes.
//
// Envoy goes through a list to its end for every request that it lets pass. A
// long one becomes a tree, byte by byte: (in 198.0.0.0/8 and in one of these) or
// (in 203.0.0.0/8 and in one of those).
func anyOf(blocks []netip.Prefix, bits int) (ids []*rbacv3.Principal) {
	if len(blocks) <= few {
		for _, p := range blocks {
			ids = append(ids, remoteIP(p))
		}
		return ids
	}
	for bits += 8; together(blocks, bits) == len(blocks); bits += 8 {
		// no tree of one branch
	}
	for len(blocks) > 0 {
		n := together(blocks, bits)
		if n == 1 {
			ids = append(ids, remoteIP(blocks[0]))
		} else {
			around := netip.PrefixFrom(blocks[0].Addr(), bits).Masked()
			ids = append(ids, both(remoteIP(around), anyOf(blocks[:n], bits)))
		}
		blocks = blocks[n:]
	}
	return ids
}

// together is how many of the first blocks, one at least, agree in so many bits.
func together(blocks []netip.Prefix, bits int) int {
	first := blocks[0]
	if first.Bits() < bits {
		return 1
	}
	around := netip.PrefixFrom(first.Addr(), bits).Masked()
	n := 1
	for n < len(blocks) && blocks[n].Bits() >= bits && around.Contains(blocks[n].Addr()) {
		n++
	}
	return n
}

// remoteIP matches by the address that Envoy takes for the client's, which is
// the one that wonted is told: the peer's, or with trusted proxies the one that
// the last of them wrote.
func remoteIP(p netip.Prefix) *rbacv3.Principal {
	return &rbacv3.Principal{Identifier: &rbacv3.Principal_RemoteIp{
		RemoteIp: &corev3.CidrRange{AddressPrefix: p.Addr().String(), PrefixLen: wrapperspb.UInt32(uint32(p.Bits()))},
	}}
}

func both(one *rbacv3.Principal, oneOf []*rbacv3.Principal) *rbacv3.Principal {
	other := &rbacv3.Principal{Identifier: &rbacv3.Principal_OrIds{OrIds: &rbacv3.Principal_Set{Ids: oneOf}}}
	return &rbacv3.Principal{Identifier: &rbacv3.Principal_AndIds{
		AndIds: &rbacv3.Principal_Set{Ids: []*rbacv3.Principal{one, other}},
	}}
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
