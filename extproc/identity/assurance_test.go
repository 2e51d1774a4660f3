package identity

import (
	"math"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/scoring"
)

// tokens is an exchange with these under Envoy's jwt_authn.
func tokens(t testing.TB, all map[string]any) *scoring.Exchange {
	t.Helper()
	s, err := structpb.NewStruct(all)
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	ex := request("x-api-key: k")
	ex.Metadata = []scoring.Namespace{{Name: []byte("other"), Struct: b}, {Name: []byte(jwtNamespace), Struct: b}}
	return ex
}

func TestAssurance(t *testing.T) {
	type m = map[string]any
	r := resolver(t, Default(), 0)
	f := func(all m, acr string, at int64) {
		t.Helper()
		ex := tokens(t, all)
		ex.ACR, ex.AuthTime = []byte("of the one before"), 1
		r.Resolve(ex)
		if string(ex.ACR) != acr || ex.AuthTime != at {
			t.Errorf("%v: acr %q, auth_time %d; want %q, %d", all, ex.ACR, ex.AuthTime, acr, at)
		}
	}
	f(m{}, "", 0)
	f(m{"shop": m{"sub": "alice"}}, "", 0)
	f(m{"shop": m{"sub": "alice", "acr": "mfa", "auth_time": 1790000000}}, "mfa", 1790000000)
	f(m{"shop": m{"acr": 2, "auth_time": "1790000000"}}, "2", 1790000000)
	f(m{"shop": m{"acr": true, "auth_time": "soon"}}, "", 0)
	f(m{"shop": m{"acr": []any{"mfa"}, "auth_time": -5}}, "", 0)
	f(m{"shop": m{"acr": "", "auth_time": math.NaN()}}, "", 0)
	f(m{"shop": m{"auth_time": math.Inf(1)}}, "", 0)
	f(m{"shop": m{"auth_time": 1e300}}, "", 0)
	f(m{"shop": m{"auth_time": "99999999999999999999"}}, "", 0)
	// Not of a token: beside one, and its header.
	f(m{"acr": "mfa", "auth_time": 1790000000}, "", 0)
	f(m{"shop": m{"acr": "mfa"}, "shop_header": m{"alg": "ES256", "kid": "1"}}, "mfa", 0)
	// A second token vouches for no other.
	stolen, own := m{"sub": "alice"}, m{"sub": "mallory", "acr": "mfa", "auth_time": 1790000000}
	f(m{"a": stolen, "b": own}, "", 0)
	f(m{"a": own, "b": stolen}, "", 0)
	f(m{"a": own, "b": m{"acr": "pwd", "auth_time": 1780000000}}, "", 1780000000)
	f(m{"a": own, "b": own}, "mfa", 1790000000)
	f(m{"a": own, "b": m{"acr": "pwd"}, "c": own}, "", 0)
}

func TestAssuranceAllocatesNothing(t *testing.T) {
	r := resolver(t, Default(), 0)
	ex := tokens(t, map[string]any{"shop": map[string]any{"sub": "alice", "acr": 2, "auth_time": "1790000000"}})
	r.Resolve(ex)
	if n := testing.AllocsPerRun(100, func() { r.Resolve(ex) }); n != 0 || string(ex.ACR) != "2" {
		t.Errorf("%v allocations, acr %q", n, ex.ACR)
	}
}
