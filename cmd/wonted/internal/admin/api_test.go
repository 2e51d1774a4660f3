package admin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// open is an API that asks nobody.
func open(trail File) *API {
	return New(Options{
		Guard: NewGuard(&Credentials{}, time.Now, nil), Trail: NewTrail(trail, func(Entry) {}), Clock: time.Now,
		Hide: func(string) string { return "hidden" }, Complain: func(error) {},
	})
}

func nothing(http.ResponseWriter, *http.Request) {}

func TestTheTableIsWhatIsServedAndListed(t *testing.T) {
	a := open(nil)
	a.Open("GET /healthz", "whether it is alive", nothing)
	a.Write("POST /v1/things", "adds a thing", nil, nil, nothing)
	a.Describe()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", "/v1/", nil))
	var got struct {
		Routes []struct{ Method, Path, Role, Does string } `json:"routes"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []struct{ Method, Path, Role, Does string }{
		{"GET", "/healthz", "open", "whether it is alive"},
		{"GET", "/v1/", "read", "lists the routes"},
		{"GET", "/v1/audit", "read", "the latest changes, the newest first; ?limit=N, 100 unless said, 1000 at most"},
		{"GET", "/v1/openapi.json", "read", "describes the routes in OpenAPI 3.1"},
		{"POST", "/v1/things", "write", "adds a thing"},
	}
	if d := cmp.Diff(want, got.Routes); d != "" {
		t.Error(d)
	}
}

func TestTheMethodMustSuitTheRole(t *testing.T) {
	f := func(add func(a *API)) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Error("registered")
			}
		}()
		add(open(nil))
	}
	f(func(a *API) { a.Write("GET /v1/things", "changes", nil, nil, nothing) })
	f(func(a *API) { a.Read("POST /v1/things", "changes nothing", nil, nothing) })
	f(func(a *API) { a.Open("DELETE /v1/things", "for everybody", nothing) })
	f(func(a *API) { a.Read("/v1/things", "without a method", nil, nothing) })
	f(func(a *API) { a.Read("GET /v1/things", "", nil, nothing) })
	f(func(*API) { New(Options{}).Read("GET /v1/things", "where nobody is asked", nil, nothing) })
	f(func(*API) {
		New(Options{Guard: &Guard{}}).Write("POST /v1/things", "without a trail", nil, nil, nothing)
	})
}

func TestOtherPeoplesPagesChangeNothing(t *testing.T) {
	a := open(nil)
	changed := 0
	a.Write("POST /v1/things", "adds a thing", nil, nil, func(http.ResponseWriter, *http.Request) { changed++ })
	r := httptest.NewRequest("POST", "/v1/things", nil)
	r.Header.Set("sec-fetch-site", "cross-site")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || changed != 0 {
		t.Errorf("status %d, changed %d times", w.Code, changed)
	}
}

func TestBody(t *testing.T) {
	f := func(body string, want bool) {
		t.Helper()
		var v struct{ Name string }
		w := httptest.NewRecorder()
		if got := Body(w, httptest.NewRequest("POST", "/", strings.NewReader(body)), &v); got != want {
			t.Errorf("%.30q: %v, want %v", body, got, want)
		}
		if !want && (w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"hint":`)) {
			t.Errorf("%.30q: answered %d %s", body, w.Code, w.Body)
		}
	}
	f(`{"name":"x"}`, true)
	f(`{"nam":"x"}`, false)
	f(`{"name":"x"} {}`, false)
	f(``, false)
	f(`[]`, false)
	f(`{"name":"`+strings.Repeat("x", maxBody)+`"}`, false)
}
