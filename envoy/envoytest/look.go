package envoytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// Profile is what wonted has kept of a caller, as its admin page shows it.
type Profile struct {
	Requests int // that count
	Accepted int // of them, by the upstream
	Sessions int // learned from: 0 while nothing has been
	InFlight int `json:"in_flight"`
}

// Profile looks a caller up by the value that names it, such as an API key; ok
// is false where wonted knows nobody of that name.
func (w *Wonted) Profile(t testing.TB, who string) (p Profile, ok bool) {
	t.Helper()
	response, err := http.Get(w.Admin + "/v1/profiles/" + url.PathEscape(who))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var found struct {
		Profiles []struct {
			Kind string
			Profile
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		t.Fatalf("the profile of %s: %v", who, err)
	}
	for _, one := range found.Profiles {
		if one.Kind == "caller" {
			return one.Profile, true
		}
	}
	return Profile{}, false
}

var resident = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

// Memory is what wonted occupies at this moment, in bytes.
func (w *Wonted) Memory(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.PID()))
	if err != nil {
		t.Fatal(err)
	}
	found := resident.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no VmRSS in\n%s", text)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
