package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the Makefile; a build with `go install` knows it from the
// module instead.
var version string

// buildInfo is what this binary is made of. Its JSON names are a contract.
type buildInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	EnvoyAPI string `json:"envoy_api"` // version of the Envoy API types it was built with
}

func thisBuild() buildInfo {
	b := buildInfo{Version: version, Go: runtime.Version(), EnvoyAPI: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/envoyproxy/go-control-plane/envoy" {
			b.EnvoyAPI = m.Version
		}
	}
	return b
}

func newVersion(std stdio) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version of wonted, of Go and of Envoy's API",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			return print(std.out, output, b, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "wonted %s (%s, Envoy API %s)\n", b.Version, b.Go, b.EnvoyAPI)
				return err
			})
		},
	}
	outputFlag(cmd, &output)
	return cmd
}

// outputFlag adds --output text|json, which every command that prints results
// has.
func outputFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "output", "text", "text or json")
}

// print writes v as indented JSON, or lets text write it for people.
func print(w io.Writer, output string, v any, text func(io.Writer) error) error {
	switch output {
	case "text":
		return text(w)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	return misuse("--output takes text or json", "--output %q is not known", output)
}
