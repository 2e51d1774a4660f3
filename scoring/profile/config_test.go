package profile

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestBytes(t *testing.T) {
	f := func(text string, want Bytes) {
		t.Helper()
		var c Config
		if err := yaml.Unmarshal([]byte("memory: "+text), &c); err != nil || c.Memory != want {
			t.Errorf("%s is %d (%v), want %d", text, c.Memory, err, want)
		}
		var again Bytes
		if err := again.UnmarshalText([]byte(want.String())); err != nil || again != want {
			t.Errorf("%v parses as %d (%v)", want, again, err)
		}
	}
	f("128MiB", 128<<20)
	f("1200MiB", 1200<<20)
	f("1GiB", 1<<30)
	f("2 TiB", 2<<40)
	f("512KiB", 512<<10)
	f("134217728", 128<<20)
	f("0", 0)

	bad := func(text, want string) {
		t.Helper()
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one about %q", text, err, want)
		}
	}
	bad("128MB", `unknown unit "MB"; write KiB, MiB or GiB`)
	bad("128mib", "unknown unit")
	bad("-1MiB", "no amount of memory")
	bad("1.5GiB", "whole number")
	bad("MiB", "no amount of memory")
	bad("", "no amount of memory")
	bad("99999999999GiB", "more memory than there can be")
}

func TestConfigValidate(t *testing.T) {
	f := func(memory Bytes, want string) {
		t.Helper()
		err := Config{memory}.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: error %v, want %q", memory, err, want)
		}
	}
	f(Default().Memory, "")
	f(MinMemory, "")
	f(MaxMemory, "")
	f(MinMemory-1, "give at least 8MiB")
	f(0, "give at least 8MiB")
	f(MaxMemory+1, "is the unit right?")
}
