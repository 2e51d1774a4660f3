package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"slices"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// whole is how long all floods may take together.
const whole = 7 * time.Minute

// settings are what the command line may change. The defaults are the sizes
// that are promised.
type settings struct {
	memory   profile.Bytes // of identities: the slab alone is a little too small for the established
	modest   profile.Bytes // of the others
	callers  int
	others   int
	sprawl   int
	streams  int
	open     int
	deadline time.Duration
}

// floods by name, in the order in which they run.
var floods = []struct {
	name string
	run  func(*report, settings) error
}{
	{"identities", identities},
	{"sprawl", sprawl},
	{"streams", streams},
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == holdCommand {
		exit(hold(os.Args[2], os.Args[3]))
	}
	s := settings{memory: 352 << 20, modest: profile.Default().Memory}
	flag.TextVar(&s.memory, "memory", s.memory, "profile.memory of the flooded store")
	flag.IntVar(&s.callers, "callers", 100_000, "established callers")
	flag.IntVar(&s.others, "identities", 10_000_000, "identities of one request each")
	flag.IntVar(&s.sprawl, "sprawl", 1_000_000, "distinct values of each sort that one caller brings")
	flag.IntVar(&s.streams, "streams", 50_000, "exchanges that are opened and never completed")
	flag.IntVar(&s.open, "open", 20_000, "exchanges that may be open at once")
	flag.DurationVar(&s.deadline, "deadline", 10*time.Second, "after which an exchange without a message is closed")
	flag.Parse()

	debug.SetGCPercent(400) // as serve does
	switch flag.NArg() {
	case 0:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		exit(all(ctx))
	case 1:
		exit(one(flag.Arg(0), s))
	}
	exit(errors.New("one flood at a time: flood [flags] [identities|sprawl|streams]"))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// one runs a flood in this process.
func one(name string, s settings) error {
	for _, f := range floods {
		if f.name == name {
			r := &report{w: os.Stdout, strict: true}
			if err := f.run(r, s); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return r.verdict(name)
		}
	}
	return fmt.Errorf("there is no flood %q: identities, sprawl or streams", name)
}

// all runs each flood in a process of its own, so that the memory of one is not
// counted for the next, and goes on where one misses a number.
func all(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	start := time.Now()
	var missed []error
	for _, f := range floods {
		cmd := exec.CommandContext(ctx, self, append(slices.Clone(os.Args[1:]), f.name)...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		// A flood that has a child of its own is told to end, and ends it.
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 5 * time.Second
		if err := cmd.Run(); err != nil {
			missed = append(missed, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	fmt.Printf("floods took %v, %v are allowed\n", time.Since(start).Round(time.Second), whole)
	if ctx.Err() != nil {
		missed = append(missed, fmt.Errorf("they did not end within %v", whole))
	}
	return errors.Join(missed...)
}
