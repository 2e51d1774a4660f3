package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// settings is the configuration as a command's flags choose and override it.
type settings struct {
	cmd  *cobra.Command
	file string
	keys []string

	asking asking // where withAdmin has given it flags
}

// flagHelp is the help of each key that has a flag.
var flagHelp = map[string]string{
	"mode":        "shadow (record what would be done) or enforce (do it)",
	"listen":      "where Envoy finds wonted: unix:///path or host:port",
	"admin":       "host:port of profiles, metrics and health; on loopback unless admin_auth is set",
	"fail":        "open or closed: what happens to traffic when no decision can be had",
	"depth":       "how much of an exchange Envoy shows, by cost: log, lean, adaptive, headers or bodies",
	"data_dir":    "directory for snapshots; empty: memory only",
	"policy.path": "directory of .rego and .json, or URL of an OPA bundle, in place of the default policy",
	"record.path": "file in which every exchange is kept for replay, without its secrets",
}

// withSettings gives cmd --config and the flags that override keys. Read the
// result with load, once flags are parsed.
func withSettings(cmd *cobra.Command, keys ...string) *settings {
	s := &settings{cmd: cmd, keys: keys}
	cmd.Flags().StringVar(&s.file, "config", "", "configuration file (default "+config.File+" where it is)")
	for _, key := range keys {
		cmd.Flags().String(config.Flag(key)[2:], "", flagHelp[key])
	}
	return s
}

// load reads file and flags. A wrong flag is a wrong command line.
func (s *settings) load() (*config.Config, error) {
	over := config.Overrides{}
	for _, key := range s.keys {
		if f := s.cmd.Flags().Lookup(config.Flag(key)[2:]); f.Changed {
			over[key] = f.Value.String()
		}
	}
	c, err := config.Load(s.file, over)
	if e, ok := errors.AsType[*config.Error](err); ok && e.Flag != "" {
		return nil, &failure{err: err, hint: e.Hint(), status: exitUsage}
	}
	return c, err
}
