package edge

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// told is the trouble that an operator is told of.
type told struct {
	mu   sync.Mutex
	text string
}

func (x *told) set(text string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.text = text
}

func (x *told) becomes(t *testing.T, want string) {
	t.Helper()
	envoytest.Eventually(t, fmt.Sprintf("the operator is told %q", want), func() error {
		x.mu.Lock()
		defer x.mu.Unlock()
		if (want == "") != (x.text == "") || !strings.Contains(x.text, want) {
			return errors.New(x.text)
		}
		return nil
	})
}

// What Envoy cannot be told, or may not, is said until it is over; a file that
// could not be written is tried again.
func TestAnOperatorIsToldWhatIsNot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	file := filepath.Join(dir, "blocks.json")
	var operator told
	l, p := newPublisher(t, func(c *Config) { c.File, c.Trouble = file, operator.set }, badNet)
	go p.Run(t.Context())
	operator.becomes(t, "Envoy is not told whom to refuse: edge.file: ")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	operator.becomes(t, "")
	value(t, "it is published", p.metrics.blocks, 1)
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "203.0.113.0") {
		t.Errorf("%s, %v", text, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	l.set(badNet, "0.0.0.0/0", "127.0.0.1/32")
	operator.becomes(t, "Envoy is not told to refuse 2 of those in quarantine, wonted does it: 0.0.0.0/0 is too much of the world: /16 at least")
	value(t, "the rest is in force", p.metrics.blocks, 1)
	value(t, "they are counted", p.metrics.refused, 2)
	l.set()
	operator.becomes(t, "")
	value(t, "nobody is refused", p.metrics.blocks, 0)
}

// Of many changes in one go the last counts.
func TestTheLastChangeCounts(t *testing.T) {
	l, p := newPublisher(t, nil)
	go p.Run(t.Context())
	for i := range 1000 {
		l.set(badNet, fmt.Sprintf("198.51.%d.%d/32", i/250, i%250))
	}
	l.set(badNet, worseNet, "198.51.100.1/32")
	value(t, "the last is in force", p.metrics.blocks, 3)
}
