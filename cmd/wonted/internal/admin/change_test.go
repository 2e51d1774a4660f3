package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// paper is a File; full says that the disk is.
type paper struct {
	bytes.Buffer
	full, unsynced bool
}

func (p *paper) Write(b []byte) (int, error) {
	if p.full {
		return 0, errors.New("no space left on device")
	}
	p.unsynced = true
	return p.Buffer.Write(b)
}

func (p *paper) Sync() error {
	p.unsynced = false
	return nil
}

const someHash = "0123456789abcdef0123456789abcdef"

func TestEveryChangeIsWrittenBeforeAndAfter(t *testing.T) {
	var p paper
	a := open(&p)
	var before string
	a.Write("DELETE /v1/things/{id}/parts/{part...}", "removes a part", nil, nil, func(w http.ResponseWriter, r *http.Request) {
		if p.unsynced {
			t.Error("the disk does not have it yet")
		}
		before = p.String()
		if r.PathValue("part") == "missing" {
			Refuse(w, http.StatusNotFound, "no such part", "")
			return
		}
		Note(r, "thing of alice", "too\nold")
	})
	ask := func(path string) Entry {
		t.Helper()
		p.Reset()
		r := httptest.NewRequest("DELETE", path, nil)
		r.Header.Set(UserHeader, "alice\x00")
		a.ServeHTTP(httptest.NewRecorder(), r)
		lines := strings.Split(strings.TrimSpace(p.String()), "\n")
		if len(lines) != 2 || lines[0]+"\n" != before {
			t.Fatalf("lines %q, before the change %q", lines, before)
		}
		var asked, done Entry
		if json.Unmarshal([]byte(lines[0]), &asked) != nil || json.Unmarshal([]byte(lines[1]), &done) != nil {
			t.Fatalf("lines %q", lines)
		}
		if asked.ID != done.ID || asked.Status != 0 || asked.ID == "" {
			t.Errorf("asked %+v, done %+v", asked, done)
		}
		if strings.Contains(lines[0], someHash) {
			t.Errorf("before it is known what it is: %s", lines[0])
		}
		return done
	}
	e := ask("/v1/things/" + someHash + "/parts/sk_live_secret?reason=because&x=secret")
	if e.Path != "/v1/things/"+someHash+"/parts/hidden" || e.Status != 200 || e.About != "thing of alice" || e.Reason != "too old" ||
		e.Who != "local" || e.User != "alice " || e.From != "192.0.2.1" || e.Method != "DELETE" || time.Since(e.Time) > time.Hour {
		t.Errorf("%+v", e)
	}
	if e = ask("/v1/things/" + someHash + "/parts/missing"); e.Path != "/v1/things/hidden/parts/hidden" || e.Status != 404 {
		t.Errorf("what was not found may be a key: %+v", e)
	}
	if got := a.trail.Last(10); len(got) != 2 || got[0].Status != 404 || got[1].Status != 200 {
		t.Errorf("the newest first: %+v", got)
	}
}

func TestAFullDiskRefusesChanges(t *testing.T) {
	p := paper{full: true}
	a := open(&p)
	var told error
	a.complain = func(err error) { told = err }
	changed := 0
	a.Write("POST /v1/things", "adds a thing", nil, nil, func(http.ResponseWriter, *http.Request) {
		changed++
		p.full = changed == 2
	})
	a.Read("GET /v1/things", "lists things", nil, nothing)
	ask := func(method string) int {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(method, "/v1/things", nil))
		return w.Code
	}
	if got := ask("POST"); got != http.StatusInsufficientStorage || changed != 0 || told == nil {
		t.Errorf("%d, changed %d times, told %v", got, changed, told)
	}
	if got := ask("GET"); got != http.StatusOK {
		t.Errorf("to look around is not refused: %d", got)
	}
	p.full = false
	if got := ask("POST"); got != http.StatusOK || changed != 1 || told != nil {
		t.Errorf("with room: %d, changed %d times, told %v", got, changed, told)
	}
	// Full by the time that it is done: the line before is there, and it is told.
	if got := ask("POST"); got != http.StatusOK || changed != 2 || told == nil {
		t.Errorf("%d, changed %d times, told %v", got, changed, told)
	}
	if n := strings.Count(p.String(), "\n"); n != 3 {
		t.Errorf("%d lines", n)
	}
}

func TestAFullDiskDoesNotKeepAnybodyOut(t *testing.T) {
	p := paper{full: true}
	a := open(&p)
	var told error
	a.complain = func(err error) { told = err }
	released := 0
	a.Undo("DELETE /v1/blocks/{id}", "releases somebody", nil, func(_ http.ResponseWriter, r *http.Request) {
		released++
		Note(r, "caller acme", "")
	})
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("DELETE", "/v1/blocks/"+someHash, nil))
	if w.Code != http.StatusOK || released != 1 || told == nil {
		t.Errorf("%d, released %d times, told %v", w.Code, released, told)
	}
	if got := a.trail.Last(1); len(got) != 1 || got[0].About != "caller acme" || got[0].Status != http.StatusOK {
		t.Errorf("kept in memory: %+v", got)
	}
	answers := a.OpenAPI()["paths"].(object)["/v1/blocks/{id}"].(object)["delete"].(object)["responses"].(object)
	if _, refused := answers["507"]; refused || answers["403"] == nil {
		t.Errorf("described with %v", answers)
	}
}

func TestAPanicIsWrittenDown(t *testing.T) {
	a := open(nil)
	a.Write("POST /v1/things", "adds a thing", nil, nil, func(http.ResponseWriter, *http.Request) { panic("oh") })
	func() {
		defer func() { recover() }()
		a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v1/things", nil))
	}()
	if got := a.trail.Last(1); len(got) != 1 || got[0].Status != http.StatusInternalServerError {
		t.Errorf("%+v", got)
	}
}

func TestTheTrailIsReadAgain(t *testing.T) {
	var p paper
	first := NewTrail(&p, func(Entry) {})
	for i := range trailKept + 5 {
		e := Entry{ID: string(rune('a'+i%26)) + strings.Repeat("x", i/26), Reason: "first"}
		first.Put(e)
		e.Status = 200
		first.Put(e)
	}
	first.Put(Entry{ID: "killed"})
	if err := first.Probe(); err != nil {
		t.Fatal(err)
	}
	p.WriteString(`{"id":"to`)
	second := NewTrail(nil, func(Entry) {})
	odd, err := second.Read(&p.Buffer)
	if odd != 1 || err != nil {
		t.Errorf("%d odd lines, %v", odd, err)
	}
	got := second.Last(trailKept + 100)
	if len(got) != trailKept || len(second.byID) != trailKept {
		t.Fatalf("%d changes, %d ids", len(got), len(second.byID))
	}
	if got[0].ID != "killed" || got[0].Status != 0 || got[1].Status != 200 {
		t.Errorf("%+v, %+v", got[0], got[1])
	}
}

func TestLast(t *testing.T) {
	a := open(nil)
	a.Describe()
	for query, want := range map[string]int{"": 200, "?limit=5": 200, "?limit=0": 400, "?limit=x": 400, "?limit=1001": 400} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", "/v1/audit"+query, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", query, w.Code, want)
		}
	}
}
