package main

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/bench"
	"github.com/wonted-project/wonted/bench/noop"
	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// newBench is `wonted bench`: what wonted costs and what it finds, measured.
func newBench(std stdio) *cobra.Command {
	return group("bench", "Measure what wonted costs on this machine, and what it finds",
		newBenchLoad(std),
		newBenchDetect(std),
		newBenchReport(std),
		newBenchPart("upstream", "the API of bench load", serveUpstream),
		newBenchPart("noop", "the reference processor of bench load", serveNoop),
	)
}

// newBenchPart is a part of the harness that runs in a process of its own, so
// that its processor time is its own too.
func newBenchPart(name, short string, serve func(context.Context, net.Listener) error) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use: name, Short: short, Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			network, where, err := config.SplitListen(address)
			if err != nil {
				return err
			}
			l, err := net.Listen(network, where)
			if err != nil {
				return fmt.Errorf("bench %s: %w", name, err)
			}
			return serve(cmd.Context(), l)
		},
	}
	cmd.Flags().StringVar(&address, "listen", "", "unix:///path or host:port")
	return cmd
}

func serveUpstream(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	return bench.ServeUpstream(l)
}

func serveNoop(ctx context.Context, l net.Listener) error {
	server := noop.New()
	stop := context.AfterFunc(ctx, server.Stop)
	defer stop()
	if err := server.Serve(l); err != grpc.ErrServerStopped {
		return err
	}
	return nil
}
