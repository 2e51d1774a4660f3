package profile

import (
	"fmt"
	"strconv"
	"strings"
)

// Config is the section profile of the configuration file.
type Config struct {
	// Memory caps everything the store holds: both levels of records, indexes and
	// bookkeeping. The package comment says how it is shared out.
	// It is address space until callers come; resident memory follows them.
	Memory Bytes `yaml:"memory"`
}

// The bounds of Config.Memory.
const (
	MinMemory Bytes = 8 << 20
	MaxMemory Bytes = 1 << 40
)

// Default is 128 MiB: about 82,000 profiles in use, and 60,000 more packed away.
func Default() Config { return Config{Memory: 128 << 20} }

// Validate says what is wrong with the configuration, and what to write instead.
func (c Config) Validate() error {
	switch {
	case c.Memory < MinMemory:
		return fmt.Errorf("memory: %v holds too few profiles to tell anybody apart; give at least %v (about 1 KiB a profile, default %v)",
			c.Memory, MinMemory, Default().Memory)
	case c.Memory > MaxMemory:
		return fmt.Errorf("memory: %v is more than the %v one process can use; is the unit right?", c.Memory, MaxMemory)
	}
	return nil
}

// Bytes is an amount of memory. In text it is an integer with a unit of KiB,
// MiB, GiB or TiB, or without one: "128MiB", "1GiB", "134217728".
type Bytes uint64

var byteUnits = []struct {
	name string
	size uint64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// UnmarshalText reads what String writes.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit := s[len(digits):]
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no amount of memory; write a whole number with KiB, MiB or GiB, such as 128MiB", s)
	}
	for _, u := range byteUnits {
		if unit == u.name {
			if n > 1<<63/u.size {
				return fmt.Errorf("%q is more memory than there can be", s)
			}
			*b = Bytes(n * u.size)
			return nil
		}
	}
	return fmt.Errorf("%q: unknown unit %q; write KiB, MiB or GiB, such as 128MiB", s, unit)
}

// MarshalText writes the amount as String does.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String is the amount in the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b > 0 && uint64(b)%u.size == 0 {
			return strconv.FormatUint(uint64(b)/u.size, 10) + u.name
		}
	}
	return "0"
}
