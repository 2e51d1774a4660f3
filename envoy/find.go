package envoy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Find returns the Envoy to run: what the environment variable ENVOY names,
// else envoy on PATH, else the binary that the Makefile fetches into .envoy of
// this directory or one above it.
func Find() (string, error) {
	if named := os.Getenv("ENVOY"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("ENVOY=%s cannot be run: %w; point ENVOY at an Envoy binary, or unset it to use envoy on PATH or the one that \"make demo\" fetches", named, err)
		}
		return filepath.Abs(path)
	}
	if path, err := exec.LookPath("envoy"); err == nil {
		return filepath.Abs(path)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find envoy: %w", err)
	}
	for {
		// The first is where "make envoy" puts it, the second where an unpacked wheel has it.
		for _, place := range []string{".envoy/bin/envoy", ".envoy/envoy/_bin/envoy"} {
			path := filepath.Join(dir, filepath.FromSlash(place))
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
				return path, nil
			}
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("no Envoy found: ENVOY is not set, there is no envoy on PATH and no .envoy folder here; \"make envoy\" fetches one, or point ENVOY at a binary")
		}
		dir = above
	}
}
