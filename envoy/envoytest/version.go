package envoytest

import (
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// version is asked once: all tests of a binary run with one Envoy.
var version struct {
	sync.Once
	minor int
	said  string
}

var minorIn = regexp.MustCompile(`/1\.(\d+)\.\d+`)

// Minor is the 40 of the Envoy 1.40.0 that is tested with. A test asks where the
// releases differ, and asserts what this one does.
func Minor(t testing.TB) int {
	t.Helper()
	version.Do(func() {
		out, _ := exec.Command(Find(t), "--version").CombinedOutput()
		version.said = string(out)
		if found := minorIn.FindSubmatch(out); found != nil {
			version.minor, _ = strconv.Atoi(string(found[1]))
		}
	})
	if version.minor == 0 {
		t.Fatalf("no version of Envoy in %q", version.said)
	}
	return version.minor
}
