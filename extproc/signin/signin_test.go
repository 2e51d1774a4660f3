package signin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/route"
)

func request(method, path string, headers ...string) *scoring.Exchange {
	ex := &scoring.Exchange{Method: []byte(method), Path: []byte(path), RequestBytes: -1}
	for i := 0; i < len(headers); i += 2 {
		ex.Headers = append(ex.Headers, scoring.Header{Name: []byte(headers[i]), Value: []byte(headers[i+1])})
	}
	ex.Route = route.New().Match(ex.Method, ex.Path)
	return ex
}

func table(t testing.TB, rules ...Rule) *Table {
	t.Helper()
	table, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestNameOfABody(t *testing.T) {
	shape := table(t)
	f := func(body, want string) {
		t.Helper()
		name, attempt := shape.Read(request("POST", "/login"), []byte(body))
		if string(name) != want || attempt != (want != "") {
			t.Errorf("%.120s: %q, attempt %v, want %q", body, name, attempt, want)
		}
	}
	f(`{"username":"Bob","password":"x"}`, "bob")
	f(` {"password":"x", "username" : "bob" }`, "bob")
	f("\ufeff"+`{"email":" bob@example.com ","pwd":"x"}`, "bob@example.com")
	f(`{"user":{"email":"bob@example.com","password":"x"}}`, "bob@example.com")
	f(`{"user\u004eame":"b\u006fb","pass\u0077ord":"x"}`, "bob")
	f(`{"username":"\ud83d\ude00","password":"x"}`, "😀")
	f(`{"username":"a\"b","password":"x"}`, `a"b`)
	f(`{"userId":12345,"pin":1}`, "12345")
	f(`{"remember":true,"roles":["user"],"username":"bob","password":"x"}`, "bob")
	f(`{"client_id":"app","client_secret":"s"}`, "app")
	f(`username=Bob&password=x`, "bob")
	f(`user%5Bemail%5D=bob%40example.com&user%5Bpassword%5D=x`, "bob@example.com")
	f(`grant_type=password&username=bob+smith&password=x`, "bob smith")
	f(`{"username":"bob","password":null}`, "") // nothing is tried
	f(`{"username":"bob"}`, "")
	f(`{"password":"x"}`, "")
	f(`{"username":"","password":"x"}`, "")
	f(`{"username":{"a":1},"password":"x"}`, "")
	f(`grant_type=refresh_token&refresh_token=abc`, "")
	f(``, "")
	f(`{`, "")
	f(`{"username":"bob","password":"x`, "") // cut off
	f(`{"username":"bo`, "")

	// A decoy does not make everybody the same user.
	f(`{"username":"decoy","password":"x","email":"bob@example.com"}`, "decoy\nbob@example.com")
	f(`{"username":"decoy","username":"bob","password":"x"}`, "decoy\nbob")
	f(`{"username":"`+strings.Repeat("b", 2000)+`","password":"x"}`, strings.Repeat("b", maxName))
}

func TestDeclaredUsers(t *testing.T) {
	f := func(r Rule, ex *scoring.Exchange, body, want string, attempt bool) {
		t.Helper()
		table := table(t, r)
		if look := table.Look(ex); look == Nothing {
			t.Errorf("%s %s is not looked at", ex.Method, ex.Path)
		}
		name, got := table.Read(ex, []byte(body))
		if string(name) != want || got != attempt {
			t.Errorf("%+v: %q, attempt %v, want %q, %v", r, name, got, want, attempt)
		}
	}
	login := func(headers ...string) *scoring.Exchange { return request("POST", "/login", headers...) }
	f(Rule{Path: "/login", User: "json:credentials.who"}, login(), `{"credentials":{"who":"Bob","username":"decoy"}}`, "bob", true)
	f(Rule{Path: "/login", User: "form:user[who]"}, login(), `user%5Bwho%5D=bob`, "bob", true)
	f(Rule{Path: "/login"}, login(), `{"username":"bob"}`, "bob", true) // declared: no password is asked for
	f(Rule{Path: "/login"}, login(), `{"token":"x"}`, "", false)
	f(Rule{Path: "/login", User: "json:who"}, login(), `{"username":"bob"}`, "bob", true)
	f(Rule{Path: "/login", User: "header:X-User"}, login("x-user", "Bob"), "", "bob", true)
	f(Rule{Path: "/login", User: "header:X-User"}, login(), "", "", false)
	f(Rule{Path: "/login", User: "header:X-User"}, login("x-user", "aa55"), `{"username":"bb66","password":"***"}`, "bb66", true)

	// What cannot be read is an attempt all the same.
	f(Rule{Path: "/login"}, login("content-type", "multipart/form-data; boundary=x"), "", "", true)
	f(Rule{Path: "/login"}, login("content-encoding", "gzip"), "", "", true)
	f(Rule{Path: "/login"}, login(), `{"pad":"`+strings.Repeat("x", MaxBody)+`","username":"bob","password":"x"}`, "", true)
}

func TestDeclaredRoutes(t *testing.T) {
	table := table(t, Rule{Path: "/v1/{tenant}/login"}, Rule{Path: "/enter", Method: "put"})
	f := func(method, path string, want Look) {
		t.Helper()
		if got := table.Look(request(method, path)); got != want {
			t.Errorf("%s %s: %d, want %d", method, path, got, want)
		}
	}
	f("POST", "/v1/acme/login", Body)
	f("POST", "/v1/acme/login?next=/", Body)
	f("POST", "//v1/acme/Login/", Body)
	f("PUT", "/enter", Body)
	f("POST", "/enter", Nothing)
	f("GET", "/v1/acme/login", Nothing)
	f("POST", "/v1/login", Nothing)
	f("POST", "/v1/acme/login/x", Nothing)
	f("POST", "/login", Nothing) // a word is no sign where routes are declared
}

func TestStatuses(t *testing.T) {
	f := func(success string, good, bad int) {
		t.Helper()
		s, err := parseSuccess(success)
		if err != nil || !s.Hold(good) || s.Hold(bad) {
			t.Errorf("%q: %+v, %v; %d is good and %d bad", success, s, err, good, bad)
		}
	}
	f("", 302, 401)
	f("status < 400", 399, 400)
	f("status <= 204", 204, 205)
	f("status == 302", 302, 200)
	f("status>=300", 302, 200)
	f(" status > 300 ", 301, 300)
}

// known is a request on a route that the upstream has answered well before.
func known(path string) *scoring.Exchange {
	ex := request("POST", path)
	ex.Route.Known = true
	return ex
}

func (t *Table) answer(ex *scoring.Exchange, status, times int) {
	ex.Status = status
	for range times {
		t.Answered(ex)
	}
}

func TestFoundByItsPath(t *testing.T) {
	for _, path := range []string{"/login", "/v1/Sign-In", "/v1/sessions?x=1", "/oauth2/token", "/api/auth/local", "/login.php"} {
		if table(t).Look(request("POST", path)) != Body {
			t.Errorf("%s is not looked at", path)
		}
	}
	for _, path := range []string{"/", "/v1/orders", "/v1/loginhistory", "/blogin", strings.Repeat("/x", 100) + "/login"} {
		if table(t).Look(request("POST", path)) != Nothing {
			t.Errorf("%s is looked at", path)
		}
	}
	for _, ex := range []*scoring.Exchange{
		request("GET", "/login"),
		request("POST", "/login", "content-type", "multipart/form-data"),
		request("POST", "/login", "content-type", "application/grpc"),
		request("POST", "/login", "content-encoding", "gzip"),
	} {
		if table(t).Look(ex) != Nothing {
			t.Errorf("%s %s %s is looked at", ex.Method, ex.Path, ex.Headers)
		}
	}
}

func TestFoundByItsRefusals(t *testing.T) {
	table, ex := table(t), known("/v1/enter")
	table.answer(ex, 200, leastAnswers-2)
	if table.Look(ex) != Nothing {
		t.Fatal("looked at without a sign")
	}
	table.answer(ex, 401, 2)
	if table.Look(ex) != Body {
		t.Fatal("an eighth of its answers are refusals, and it is not looked at")
	}
	table.answer(ex, 200, 500)
	if table.Look(ex) != Nothing {
		t.Error("looked at though it refuses nobody any more")
	}
	invented := request("POST", "/v1/enter/by/a/scanner")
	table.answer(invented, 401, 100)
	if table.Look(invented) != Nothing {
		t.Error("who invents paths makes us look at bodies")
	}
}

func TestACandidateWithoutPasswordsIsLeftAlone(t *testing.T) {
	table, ex := table(t), known("/v1/payments/tokens")
	table.answer(ex, 201, 1)
	looks := 0
	for range 10 * every {
		if table.Look(ex) == Body {
			looks++
			if _, attempt := table.Read(ex, []byte(`{"card":"4111"}`)); attempt {
				t.Fatal("an attempt")
			}
		}
	}
	if looks < samples || looks > samples+12 {
		t.Errorf("%d of %d bodies were looked at", looks, 10*every)
	}
}

// A list is tried where others only refresh their tokens.
func TestARouteIsLookedAtAgainWhenItRefuses(t *testing.T) {
	table, ex := table(t), known("/oauth/token")
	table.answer(ex, 200, 1)
	play := func(status int, body string, most int) {
		t.Helper()
		for i := range 1000 {
			if table.Look(ex) == Body {
				if _, attempt := table.Read(ex, []byte(body)); attempt {
					if i > most {
						t.Errorf("found after %d", i)
					}
					return
				}
			}
			table.answer(ex, status, 1)
		}
		if most > 0 {
			t.Error("never found")
		}
	}
	play(200, "grant_type=refresh_token", 0)
	play(401, "grant_type=password&username=bob&password=x", 40)
}

func TestAConfirmedRoute(t *testing.T) {
	table, ex := table(t), known("/v1/sessions")
	table.answer(ex, 201, 1)
	read := func(ex *scoring.Exchange, body string) bool {
		_, attempt := table.Read(ex, []byte(body))
		return attempt
	}
	good, other := `{"username":"bob","password":"x"}`, `{"refresh":"x"}`
	if !read(ex, good) {
		t.Fatal("no attempt")
	}
	padded := known("/v1/sessions")
	if !read(padded, `{"pad":"`+strings.Repeat("x", MaxBody)+`"}`) {
		t.Error("padding is a way to hide")
	}
	zipped := known("/v1/sessions")
	zipped.Headers = []scoring.Header{{Name: []byte("content-encoding"), Value: []byte("gzip")}}
	if table.Look(zipped) != Headers || !read(zipped, "") {
		t.Error("compression is a way to hide")
	}
	for range 200 {
		if table.Look(ex) != Body || read(ex, other) {
			t.Fatal("a refresh is looked at and is no attempt")
		}
	}
	read(ex, good)
	for range forgetAfter {
		read(ex, other)
	}
	if table.Look(zipped) != Nothing {
		t.Error("still confirmed")
	}
}

// Places do not run out on one route more.
func TestPlacesAreBounded(t *testing.T) {
	table := table(t)
	for i := range 20_000 {
		ex := known(fmt.Sprintf("/v1/login/word%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676))
		ex.Route.ID = uint32(i%300 + 1)
		table.answer(ex, 200, 1)
		table.Look(ex)
	}
	crowded := new(places)
	for i := range uint32(2 * reach) {
		crowded.add(1+i*uint32(len(crowded)), true)
	}
	if crowded.add(1+99*uint32(len(crowded)), true) != nil {
		t.Error("a neighbourhood without an end")
	}
}

func TestLookAllocatesNothing(t *testing.T) {
	shaped, declared := table(t), table(t, Rule{Path: "/v1/{tenant}/login"})
	login, order := known("/v1/sessions"), known("/v1/orders?limit=10")
	shaped.answer(login, 200, 1)
	for what, ex := range map[string]*scoring.Exchange{"sign-in": login, "order": order} {
		for how, table := range map[string]*Table{"shape": shaped, "declared": declared} {
			if n := testing.AllocsPerRun(100, func() { table.Look(ex); table.Answered(ex) }); n != 0 {
				t.Errorf("%s, %s: %v allocations", what, how, n)
			}
		}
	}
}
