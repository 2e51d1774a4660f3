// Command wonted stands beside Envoy as its external processor: it knows what
// is usual for every caller of an API, and stops what is not.
//
// This package is the program and nothing else: it reads flags and the
// configuration, builds the parts (profile store, scorer, policy, gate, gRPC
// and HTTP listeners), joins them and takes them down again. It may import
// every package of the module, and is imported by none. It is also the only
// one, beside extproc, that reads the clock.
//
// Start reading at run in root.go; each subcommand has its own file, and
// service.go shows how the parts are joined.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the timezone setting must work in an image without zone files
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	go heed(cancel)
	err := run(ctx, os.Args[1:], stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	os.Exit(explain(os.Stderr, err))
}

// heed lets the first signal ask, and the second end the process at once, as if
// nobody heeded it; also where it comes right behind.
func heed(ask func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	ask()
	again := <-signals
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(again) != nil {
		os.Exit(1)
	}
}
