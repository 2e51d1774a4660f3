package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/demo"
)

// newDemoAPI is `wonted demo api`: something to protect, where one wants to try
// wonted and has no API at hand. The image carries it, so that one image is
// enough.
func newDemoAPI(std stdio) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "api",
		Short: "Serve the demo's sample API alone, to try wonted in front of it",
		Long: `Serve the demo's sample API alone, to try wonted in front of it. It wants an
x-api-key, whichever, and has:

  GET /v1/orders?limit=N&page=N   a list of as many records as asked for, to 10000
  GET /v1/orders/ID               one record
  GET /v1/invoices/ID             one record
  GET /v1/export                  2000 records`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return advise(err, "choose another address with --listen")
			}
			fmt.Fprintf(std.out, "listening on %s\n", listener.Addr())
			return serveUntil(cmd.Context(), listener, demo.API())
		},
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8000", "host:port where it takes requests")
	return cmd
}

// serveUntil serves until ctx is done, and then lets what is under way finish.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(limit); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return server.Close()
}
