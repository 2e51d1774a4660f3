package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/scoring"
)

// TestVouched: of what the proxy vouches for, only what a rule reads, and how
// somebody has signed in.
func TestVouched(t *testing.T) {
	encode := func(m map[string]any) []byte {
		s, err := structpb.NewStruct(m)
		if err != nil {
			t.Fatal(err)
		}
		b, err := proto.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ex := request("x-api-key: k")
	ex.PeerURISAN = []byte("spiffe://a")
	ex.Metadata = []scoring.Namespace{
		{Name: []byte(jwtNamespace), Struct: encode(map[string]any{"provider": map[string]any{"sub": 7, "mail": "a@b", "private": "x", "acr": "mfa", "auth_time": 1790000000}})},
		{Name: []byte("tenants"), Struct: encode(map[string]any{"id": "t", "plan": "x"})},
		{Name: []byte("unread"), Struct: encode(map[string]any{"id": "x"})},
	}
	rules := Config{
		{Kind: "caller", Header: "x-api-key", Name: "header:x-name"},
		{Kind: "caller", JWTClaim: "sub", Name: "jwt_claim:mail"},
		{Kind: "session", JWTClaim: "missing"},
		{Kind: "user", Metadata: "tenants:id"},
		{Kind: "credential", MTLSSAN: true},
	}
	who := resolver(t, rules, 0)
	who.Resolve(ex)
	got := who.Vouched(nil, ex)
	want := []Vouched{
		{Path: "sub", Value: []byte("7")}, {Path: "mail", Value: []byte("a@b"), Name: true},
		{Value: []byte("spiffe://a")},
		{Namespace: "tenants", Path: "id", Value: []byte("t")},
		{Path: "acr", Value: []byte("mfa"), Name: true}, {Path: "auth_time", Value: []byte("1790000000"), Name: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if all := resolver(t, rules, 0).Vouched(nil, request("x-api-key: k")); len(all) != 0 {
		t.Errorf("nobody has vouched for %v", all)
	}
}
