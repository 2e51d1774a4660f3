package envoytest

import (
	"errors"
	"testing"
	"time"
)

// patience bounds every wait. It is no threshold: what is waited for comes,
// or the test fails with the last reason why not.
const patience = 20 * time.Second

// hopeless is an error that waiting does not mend.
type hopeless struct{ error }

// Hopeless marks err so that Eventually gives up at once.
func Hopeless(err error) error { return hopeless{err} }

// Eventually repeats check until it returns nil.
func Eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if errors.As(err, new(hopeless)) || time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
