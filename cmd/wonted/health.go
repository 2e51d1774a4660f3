package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// newHealth asks a running wonted over the same socket that Envoy uses, for
// probes of kubelet and systemd. Exit status 0: it serves.
func newHealth(std stdio) *cobra.Command {
	var output string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "health", Short: "Ask a running wonted whether it serves (exit status 0)",
		Args: noArgs,
	}
	set := withSettings(cmd, "listen")
	cmd.Flags().DurationVar(&timeout, "timeout", 2*time.Second, "how long to wait for the answer")
	outputFlag(cmd, &output)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := set.load()
		if err != nil {
			return err
		}
		if c.Listen == config.DefaultSocket {
			c.Listen = defaultPlaces().find()
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		defer cancel()
		status, err := askHealth(ctx, c.Listen)
		if err != nil {
			return advise(fmt.Errorf("no answer from %s: %w", c.Listen, err),
				"is wonted serve running, and with the same listen address? --listen chooses another")
		}
		answer := struct {
			Status string `json:"status"`
			Listen string `json:"listen"`
		}{status.String(), c.Listen}
		if err := print(std.out, output, answer, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, strings.ToLower(answer.Status))
			return err
		}); err != nil {
			return err
		}
		if status != healthpb.HealthCheckResponse_SERVING {
			return advise(fmt.Errorf("%s is %s", c.Listen, status), "it is starting or draining: ask again")
		}
		return nil
	}
	return cmd
}

func askHealth(ctx context.Context, listen string) (healthpb.HealthCheckResponse_ServingStatus, error) {
	network, address, err := config.SplitListen(listen)
	if err != nil {
		return 0, err
	}
	target := "passthrough:///" + address
	if network == "unix" {
		target = "unix:" + address
		if name, ok := strings.CutPrefix(address, "@"); ok {
			target = "unix-abstract:" + name
		}
	}
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	r, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	return r.GetStatus(), err
}
