package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wonted-project/wonted/cmd/wonted/internal/demo"
)

// newDemo is `wonted demo`: one crime, told twice, on a real Envoy.
func newDemo(std stdio) *cobra.Command {
	var keep bool
	var output string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Tell one crime twice on a real Envoy: without wonted, and with it",
		Long: `Tell one crime twice on a real Envoy: without wonted, and with it.

Starts a small sample API, Envoy and wonted on free loopback ports, plays five
days of invented customers, and then, live, somebody with a stolen API key.
Everything it prints is measured in the run that prints it; --output json
prints one object a scene. The exit status is not zero if a scene does not
happen as told.

Envoy is the one that ENVOY names, else envoy on PATH, else the one that
"make demo" has fetched.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			opts := demo.Options{Program: program, Keep: keep, Now: time.Now()}
			switch output {
			case "json":
				opts.JSON = std.out
			case "text":
				opts.Text = std.out
				if f, ok := std.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
					// https://no-color.org: set and not empty means no colour.
					opts.Colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
					opts.Pause = 300 * time.Millisecond
				}
			default:
				return misuse("--output takes text or json", "--output %q is not known", output)
			}
			return demo.Run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave everything running afterwards, and print where it is (until Ctrl-C)")
	outputFlag(cmd, &output)
	cmd.AddCommand(newDemoAPI(std))
	return cmd
}
