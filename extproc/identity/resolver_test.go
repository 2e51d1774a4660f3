package identity

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// testSecret is fixed, so that hashes in failures can be compared between runs.
var testSecret = Secret{1, 2, 3}

func resolver(t testing.TB, c Config, trusted int) *Resolver {
	t.Helper()
	r, err := New(c, testSecret, trusted)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// request makes an exchange from "name: value" lines, in order.
func request(lines ...string) *scoring.Exchange {
	ex := &scoring.Exchange{Source: []byte("203.0.113.9:40000")}
	for _, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			panic("no colon in " + l)
		}
		ex.Headers = append(ex.Headers, scoring.Header{Name: []byte(name), Value: []byte(strings.TrimPrefix(value, " "))})
	}
	return ex
}

// metadata adds a namespace, as Envoy would send it.
func metadata(t testing.TB, ex *scoring.Exchange, namespace string, content map[string]any) *scoring.Exchange {
	t.Helper()
	s, err := structpb.NewStruct(content)
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	ex.Metadata = append(ex.Metadata, scoring.Namespace{Name: []byte(namespace), Struct: b})
	return ex
}

// verified adds the claims of a token that jwt_authn has verified.
func verified(t testing.TB, ex *scoring.Exchange, claims map[string]any) *scoring.Exchange {
	return metadata(t, ex, jwtNamespace, map[string]any{"payload": claims})
}

func TestCaller(t *testing.T) {
	// f resolves under the default rules. want is "rule=value", and companion
	// the losing value, "" for none, or "*" for one over several values.
	f := func(ex *scoring.Exchange, want, companion string) {
		t.Helper()
		r := resolver(t, Default(), 0)
		r.Resolve(ex)
		id := ex.Entities[profile.KindCaller]
		rule, value, _ := strings.Cut(want, "=")
		if id.Kind != profile.KindCaller || id.Rule != rule || id.Key != r.Key(profile.KindCaller, []byte(value)) {
			t.Errorf("caller is %q (kind %d), want %s", id.Rule, id.Kind, want)
		}
		if id.Verified != strings.HasPrefix(rule, "jwt_claim") {
			t.Errorf("%s: verified is %v", want, id.Verified)
		}
		switch {
		case companion == "" && ex.Companion != profile.Key{}:
			t.Errorf("%s: a companion where none was expected", want)
		case companion == "*" && ex.Companion == profile.Key{}:
			t.Errorf("%s: no companion", want)
		case companion != "" && companion != "*" && ex.Companion != r.Key(profile.KindCaller, []byte(companion)):
			t.Errorf("%s: the companion is not %s", want, companion)
		}
	}
	f(request(), "address=203.0.113.9", "")
	f(request("x-api-key: k1"), "header x-api-key=k1", "")
	f(request("x-api-key:  k1 "), "header x-api-key=k1", "")
	f(request("x-api-key:"), "address=203.0.113.9", "")
	f(request("x-api-key:  "), "address=203.0.113.9", "")
	f(request("x-api-key: k1", "x-api-key: k1"), "header x-api-key=k1", "")
	f(request("x-api-key: k1", "x-api-key: k2"), "address=203.0.113.9", "*")

	sub := map[string]any{"sub": "alice"}
	f(verified(t, request(), sub), "jwt_claim sub=alice", "")
	f(verified(t, request("x-api-key: fresh"), sub), "jwt_claim sub=alice", "fresh")
	f(verified(t, request("x-api-key: alice"), sub), "jwt_claim sub=alice", "")
	f(verified(t, request("x-api-key: a", "x-api-key: b"), sub), "jwt_claim sub=alice", "*")
	f(verified(t, request("x-api-key: k1"), map[string]any{"aud": "api"}), "header x-api-key=k1", "")
	f(verified(t, request("x-api-key: k1"), map[string]any{"sub": ""}), "header x-api-key=k1", "")
	f(verified(t, request("x-api-key: k1"), map[string]any{"sub": nil}), "header x-api-key=k1", "")
	f(verified(t, request(), map[string]any{"sub": 42}), "jwt_claim sub=42", "")
	f(verified(t, request("x-api-key: k1"), map[string]any{"sub": []any{"alice"}}), "header x-api-key=k1", "")
	f(verified(t, request("x-api-key: k1"), map[string]any{"sub": true}), "header x-api-key=k1", "")

	// What a client can write itself is no verified claim: a token that nobody
	// has checked, metadata-like headers, another filter's metadata.
	token := "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."
	f(request("authorization: "+token), "address=203.0.113.9", "")
	f(request("x-jwt-payload: alice", "x-wonted-identity: alice"), "address=203.0.113.9", "")
	f(metadata(t, request(), "envoy.lb", map[string]any{"payload": sub}), "address=203.0.113.9", "")
	f(request("x-forwarded-for: 198.51.100.1"), "address=203.0.113.9", "")
	f(request("cookie: x-api-key=k1"), "address=203.0.113.9", "")
}

// TestSeveralValuesStandForAllOfThem: whichever of two keys the upstream
// believes, a junk one beside it makes a new companion.
func TestSeveralValuesStandForAllOfThem(t *testing.T) {
	r := resolver(t, Default(), 0)
	of := func(keys ...string) profile.Key {
		var lines []string
		for _, k := range keys {
			lines = append(lines, "x-api-key: "+k)
		}
		ex := request(lines...)
		r.Resolve(ex)
		return ex.Companion
	}
	if of("k", "junk1") == of("k", "junk2") || of("junk1", "k") == of("junk2", "k") {
		t.Error("the companion does not change with each of the values")
	}
	if of("k", "junk") != of("junk", "k") {
		t.Error("the companion depends on the order")
	}
	if of("a", "b", "c") == of("a", "b") {
		t.Error("the third value is ignored")
	}
}

// TestContested: a second value in a header that names somebody is seen, however
// it is sent and whoever wins, but an honest browser's cookies are none.
func TestContested(t *testing.T) {
	r := resolver(t, Default(), 0)
	f := func(want bool, ex *scoring.Exchange) {
		t.Helper()
		ex.Contested = !want // of the exchange before
		if r.Resolve(ex); ex.Contested != want {
			t.Errorf("%s: contested is %v", ex.Headers, ex.Contested)
		}
	}
	f(false, request())
	f(false, request("x-api-key: k"))
	f(false, request("x-api-key: k", "x-api-key: k "))
	f(false, request("x-api-key: k", "x-api-key:"))
	f(true, request("x-api-key: k", "x-api-key: junk"))
	f(true, request("x-api-key: junk", "accept: */*", "x-api-key: k"))
	f(true, request("x-api-key: k", "x-api-key: k", "x-api-key: junk"))
	f(true, verified(t, request("x-api-key: k", "x-api-key: junk"), map[string]any{"sub": "alice"}))

	f(false, request("authorization: Bearer a", "x-api-key: k"))
	f(false, request("authorization: Basic a,Bearer a"))
	f(true, request("authorization: Bearer a,Bearer b")) // as Envoy joins two lines
	f(true, request("authorization: Bearer a", "authorization: bearer b"))

	f(false, request("cookie: session=a; session=b"))
	f(false, request("cookie: session=a", "cookie: session=b"))
	f(false, request("accept: a", "accept: b")) // no rule reads it
}

func TestProviders(t *testing.T) {
	f := func(claim string, content map[string]any, want string) {
		t.Helper()
		ex := metadata(t, request(), jwtNamespace, content)
		r := resolver(t, Config{{Kind: "caller", JWTClaim: claim}}, 0)
		r.Resolve(ex)
		var key profile.Key
		if want != "" {
			key = r.Key(profile.KindCaller, []byte(want))
		}
		if got := ex.Entities[profile.KindCaller].Key; got != key {
			t.Errorf("claim %s of %v: not %q", claim, content, want)
		}
	}
	type m = map[string]any
	f("sub", m{"partner": m{"sub": "p"}, "any_name": m{"sub": "a"}}, "a") // the first by name, whatever the wire's order
	f("sub", m{"z": m{"sub": "z"}, "a": m{"iss": "i"}}, "z")
	f("sub", m{"a": m{"sub": m{"x": 1}}, "z": m{"sub": "z"}}, "z") // only what can name somebody counts
	f("partner.sub", m{"partner": m{"sub": "p"}, "any_name": m{"sub": "a"}}, "p")
	f("realm.user", m{"p": m{"realm": m{"user": "u"}}}, "u")
	f("realm.user", m{"p": m{"realm.user": "literal", "realm": m{"user": "u"}}}, "literal")
	f("https://example.com/id", m{"p": m{"https://example.com/id": "u"}}, "u")
	f("sub", m{"sub": "not a provider's"}, "not a provider's")
	f("realm.user", m{"p": m{"realm": "text"}}, "")
	f("realm", m{"p": m{"realm": m{"user": "u"}}}, "")
}

func TestCredentialAndSession(t *testing.T) {
	f := func(want string, kind profile.Kind, lines ...string) {
		t.Helper()
		r := resolver(t, Default(), 0)
		ex := request(lines...)
		r.Resolve(ex)
		var key profile.Key
		if want != "" {
			key = r.Key(kind, []byte(want))
		}
		if ex.Entities[kind].Key != key {
			t.Errorf("%q: kind %d is not %q", lines, kind, want)
		}
		if ex.Companion != (profile.Key{}) {
			t.Errorf("%q: only callers have companions", lines)
		}
	}
	const c, s = profile.KindCredential, profile.KindSession
	f("t0ken", c, "authorization: Bearer t0ken")
	f("t0ken", c, "authorization: bEARER   t0ken ")
	f("t0ken", c, "authorization: Bearer t0ken,Bearer t0ken")
	f("t0ken", c, "authorization: Basic Zm9v,Bearer t0ken")
	f("", c, "authorization: Bearer a,Bearer b") // as Envoy joins two lines
	f("", c, "authorization: Bearer a", "authorization: Bearer b")
	f("", c, "authorization: Bearer")
	f("", c, "authorization: Bearer  ")
	f("", c, "authorization: Bearertoken")
	f("", c, "authorization: Basic Zm9v")
	f("", c, "proxy-authorization: Bearer t")
	f("abc", s, "cookie: session=abc")
	f("abc", s, "cookie: a=1; session=abc ; b=2")
	f("abc", s, "cookie: a=1", "cookie: session=abc")
	f("abc", s, `cookie: session="abc"`)
	f("a=b", s, "cookie: session=a=b")
	f("abc", s, "cookie:;;=;session;session=abc")
	f("", s, "cookie: session=a; session=b")
	f("", s, "cookie: xsession=a; session2=b; Session=c")
	f("", s, "cookie: session=; a=session=x")
	f("", s, `cookie: session=""`)
}

func TestMTLSAndMetadata(t *testing.T) {
	rules := Config{
		{Kind: "caller", Header: "X-Api-Key"},
		{Kind: "caller", MTLSSAN: true},
		{Kind: "caller", Metadata: "envoy.filters.http.ext_authz:user.id"},
	}
	f := func(ex *scoring.Exchange, want string) {
		t.Helper()
		r := resolver(t, rules, 0)
		r.Resolve(ex)
		rule, value, _ := strings.Cut(want, "=")
		id := ex.Entities[profile.KindCaller]
		if id.Rule != rule || id.Key != r.Key(profile.KindCaller, []byte(value)) || !id.Verified {
			t.Errorf("caller by %q, verified %v; want %s", id.Rule, id.Verified, want)
		}
	}
	ex := request("x-api-key: k")
	ex.PeerURISAN, ex.PeerDNSSAN = []byte("spiffe://td/ns/x/sa/y"), []byte("y.example")
	f(ex, "mtls_san=spiffe://td/ns/x/sa/y")
	ex.PeerURISAN = nil
	f(ex, "mtls_san=y.example")
	f(metadata(t, request("x-api-key: k"), "envoy.filters.http.ext_authz", map[string]any{"user": map[string]any{"id": 7.5}}),
		"metadata envoy.filters.http.ext_authz:user.id=7.5")
}

func TestDeviceAndPlace(t *testing.T) {
	r := resolver(t, Default(), 0)
	resolve := func(source, ja4 string, lines ...string) *scoring.Exchange {
		ex := request(lines...)
		ex.Source, ex.JA4 = []byte(source), []byte(ja4)
		r.Resolve(ex)
		return ex
	}
	const ja4 = "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6"
	ex := resolve("192.0.2.7:999", ja4, "user-agent: curl/8")
	if d := ex.Entities[profile.KindDevice]; !d.Verified || d.Rule != "ja4" || d.Key != r.Key(profile.KindDevice, []byte(ja4)) {
		t.Errorf("device with JA4: %+v", d)
	}
	if n := string(ex.Entities[profile.KindNetwork].Name); n != "192.0.2.0/24" {
		t.Errorf("network %s", n)
	}
	agent := resolve("192.0.2.8:1", "", "user-agent: "+ja4).Entities[profile.KindDevice]
	if agent.Verified || agent.Key == ex.Entities[profile.KindDevice].Key {
		t.Error("a user agent poses as a JA4")
	}
	none := resolve("192.0.2.8:1", "").Entities[profile.KindDevice]
	if none.Kind != profile.KindDevice || none.Key == (profile.Key{}) || none.Key == agent.Key {
		t.Error("no user agent is not a device of its own")
	}
	same := func(kind profile.Kind, a, b string, want bool) {
		t.Helper()
		if got := resolve(a, "").Entities[kind].Key == resolve(b, "").Entities[kind].Key; got != want {
			t.Errorf("kind %d of %s and %s: same is %v", kind, a, b, got)
		}
	}
	same(profile.KindNetwork, "192.0.2.7:1", "192.0.2.250:2", true)
	same(profile.KindNetwork, "192.0.2.7:1", "192.0.3.7:1", false)
	same(profile.KindNetwork, "[2001:db8:1:2::3]:1", "[2001:db8:1:ffff::3]:1", true)
	same(profile.KindNetwork, "[2001:db8:1:2::3]:1", "[2001:db8:2:2::3]:1", false)
	same(profile.KindAddress, "192.0.2.7:1", "[::ffff:192.0.2.7]:1", true)
	same(profile.KindAddress, "192.0.2.7:1", "192.0.2.8:1", false)
	same(profile.KindAddress, "[2001:db8::1]:1", "[2001:db8::ffff]:1", true) // one /64, one host
	same(profile.KindAddress, "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false)
	same(profile.KindCaller, "192.0.2.7:1", "192.0.2.7:2", true)

	ex = resolve("/run/envoy.sock", "")
	for _, kind := range []profile.Kind{profile.KindAddress, profile.KindNetwork, profile.KindCaller} {
		if ex.Entities[kind].Kind != profile.KindNone {
			t.Errorf("kind %d without an address", kind)
		}
	}
}

func TestNames(t *testing.T) {
	f := func(rule Rule, ex *scoring.Exchange, want string) {
		t.Helper()
		r := resolver(t, Config{rule}, 0)
		r.Resolve(ex)
		if got := string(ex.Entities[profile.KindCaller].Name); got != want {
			t.Errorf("%+v: name %q, want %q", rule, got, want)
		}
	}
	key := Rule{Kind: "caller", Header: "x-api-key"}
	f(key, request("x-api-key: ak_live_7f3a9b2c4d5e6f70"), "")
	key.Name = "mask"
	f(key, request("x-api-key: ak_live_7f3a9b2c4d5e6f708192a3b4c5d6e7f8"), "ak_live_7f3…")
	f(key, request("x-api-key: short-key"), "sho…")
	f(key, request("x-api-key: k"), "…")
	key.Name = "header:X-Customer"
	f(key, request("x-api-key: k", "x-customer: Ümit & Söhne"), "Ümit & Söhne")
	f(key, request("x-api-key: k", "x-customer: a\x1b[31mb\xffc\u202ed"), "a?[31mb?c?d")
	f(key, request("x-api-key: k", "x-customer: "+strings.Repeat("☃", 100)), strings.Repeat("☃", maxName/3))
	f(key, request("x-api-key: k"), "")
	key.Name = "cookie:user"
	f(key, request("x-api-key: k", "cookie: user=bob"), "bob")
	claim := Rule{Kind: "caller", JWTClaim: "sub", Name: "jwt_claim:email"}
	f(claim, verified(t, request(), map[string]any{"sub": "17", "email": "ann@example.com"}), "ann@example.com")
	f(claim, verified(t, request(), map[string]any{"sub": 17, "email": 18}), "18")
	f(Rule{Kind: "caller", Address: true}, request(), "203.0.113.9")
}

// TestReuse: an exchange that is resolved again keeps nothing of the last time.
func TestReuse(t *testing.T) {
	r := resolver(t, Default(), 0)
	ex := verified(t, request("x-api-key: k", "cookie: session=s", "authorization: Bearer b"), map[string]any{"sub": "a"})
	r.Resolve(ex)
	if ex.Companion == (profile.Key{}) || ex.Entities[profile.KindSession].Kind == profile.KindNone {
		t.Fatal("the first exchange should have a companion and a session")
	}
	ex.Headers, ex.Metadata = nil, nil
	r.Resolve(ex)
	if ex.Companion != (profile.Key{}) || ex.Entities[profile.KindSession].Kind != profile.KindNone || ex.Entities[profile.KindCredential].Kind != profile.KindNone {
		t.Error("something of the first exchange is left")
	}
}

// everything is an exchange in which every sort of rule finds something.
func everything(t testing.TB) (*Resolver, *scoring.Exchange) {
	rules := Config{
		{Kind: "caller", Header: "x-api-key", Name: "mask"},
		{Kind: "caller", MTLSSAN: true},
		{Kind: "caller", JWTClaim: "sub", Name: "jwt_claim:email"},
		{Kind: "caller", Metadata: "envoy.filters.http.ext_authz:user.id"},
		{Kind: "credential", Bearer: true, Name: "mask"},
		{Kind: "session", Cookie: "session"},
		{Kind: "user", JWTClaim: "number"},
		{Kind: "caller", Address: true},
	}
	ex := request("user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "accept: */*", "accept-encoding: gzip",
		"x-api-key: ak_live_7f3a9b2c4d5e6f708192a3b4c5d6e7f8", "x-forwarded-for: 9.9.9.9, 198.51.100.7, 203.0.113.9",
		"authorization: Bearer "+strings.Repeat("a", 600), "cookie: a=1; b=2; session=0123456789abcdef; c=3")
	verified(t, ex, map[string]any{"sub": "alice", "email": "a@example.com", "number": 12345, "iat": 1, "exp": 2, "aud": []any{"x"}})
	metadata(t, ex, "envoy.filters.http.ext_authz", map[string]any{"user": map[string]any{"id": "u-1"}})
	return resolver(t, rules, 1), ex
}

func TestResolveAllocatesNothing(t *testing.T) {
	r, ex := everything(t)
	r.Resolve(ex)
	if n := testing.AllocsPerRun(100, func() { r.Resolve(ex) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	if got := string(ex.Entities[profile.KindCaller].Name); got != "a@example.com" {
		t.Errorf("name %q", got)
	}
}

func BenchmarkResolve(b *testing.B) {
	b.Run("default", func(b *testing.B) {
		r := resolver(b, Default(), 0)
		_, ex := everything(b)
		b.ReportAllocs()
		for b.Loop() {
			r.Resolve(ex)
		}
	})
	b.Run("every rule", func(b *testing.B) {
		r, ex := everything(b)
		b.ReportAllocs()
		for b.Loop() {
			r.Resolve(ex)
		}
	})
}

func FuzzCookie(f *testing.F) {
	f.Add("session=a", "session=b; x")
	f.Add(`;=;session="`, `"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		r := resolver(t, Default(), 0)
		ex := request("cookie:"+a, "cookie:"+b)
		r.Resolve(ex)
		if s := ex.Entities[profile.KindSession]; s.Kind != profile.KindNone && s.Key == (profile.Key{}) {
			t.Error("a session without a key")
		}
	})
}

func FuzzResolve(f *testing.F) {
	_, ex := everything(f)
	f.Add(ex.Metadata[0].Struct, "203.0.113.9:1", "1.1.1.1, 2.2.2.2", "Bearer x", "k", 1)
	f.Add([]byte{0x0a, 0xff}, "[::1]:0", ",,,", "bearer a,bearer b", "\xff\x00", 2)
	f.Fuzz(func(t *testing.T, claims []byte, source, forwarded, authorization, key string, trusted int) {
		r := resolver(t, Config{
			{Kind: "caller", Header: "x-api-key", Name: "mask"},
			{Kind: "caller", JWTClaim: "realm.sub", Name: "jwt_claim:email"},
			{Kind: "credential", Bearer: true, Name: "header:x-api-key"},
			{Kind: "caller", Address: true},
		}, (trusted%3+3)%3)
		ex := request("x-forwarded-for:"+forwarded, "authorization:"+authorization, "x-api-key:"+key)
		ex.Source = []byte(source)
		ex.Metadata = []scoring.Namespace{{Name: []byte(jwtNamespace), Struct: claims}}
		r.Resolve(ex)
		for kind, id := range ex.Entities {
			if id.Kind != profile.KindNone && (int(id.Kind) != kind || id.Key == (profile.Key{})) {
				t.Errorf("entity %d: %+v", kind, id)
			}
			if len(id.Name) > maxName+len("…") {
				t.Errorf("a name of %d bytes", len(id.Name))
			}
		}
		caller := fmt.Sprint(ex.Entities[profile.KindCaller].Key, ex.Companion)
		if r.Resolve(ex); fmt.Sprint(ex.Entities[profile.KindCaller].Key, ex.Companion) != caller {
			t.Error("resolving twice gives two callers")
		}
	})
}
