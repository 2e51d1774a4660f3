package config

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/quarantine"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// File is the configuration that is read when none is named, if it is there.
const File = "wonted.yaml"

// DefaultSocket is where wonted listens unless told otherwise. Where its
// directory cannot be had, serve listens under the user's runtime directory.
const DefaultSocket = "unix:///run/wonted/extproc.sock"

// Config is what was written. What it is turned into lives in the parts that
// serve builds from it.
type Config struct {
	Mode           policy.Mode         `yaml:"mode"`
	Listen         string              `yaml:"listen"` // unix:///path, unix://@name or host:port
	Admin          string              `yaml:"admin"`  // host:port; "": none
	AdminAuth      admin.Config        `yaml:"admin_auth"`
	Metrics        string              `yaml:"metrics"` // host:port; "": none
	Fail           policy.FailMode     `yaml:"fail"`
	Depth          Depth               `yaml:"depth"`
	DataDir        string              `yaml:"data_dir"`     // "": memory only
	IdentityKey    string              `yaml:"identity_key"` // file with 32 random bytes
	Timezone       Timezone            `yaml:"timezone"`
	Budget         Budget              `yaml:"budget"`
	Identity       identity.Config     `yaml:"identity"`
	Login          signin.Config       `yaml:"login"`
	Cohorts        scoring.CohortRules `yaml:"cohorts"` // beside those that are found
	TrustedProxies int                 `yaml:"trusted_proxies"`
	Profile        profile.Config      `yaml:"profile"`
	Policy         Policy              `yaml:"policy"`
	Breaker        Breaker             `yaml:"breaker"`
	Rules          policy.RuleSettings `yaml:"rules"` // for whom rules of the policy are in force
	Quarantine     quarantine.Config   `yaml:"quarantine"`
	Challenge      policy.StepUp       `yaml:"challenge"` // where a rule does not say
	Routes         Routes              `yaml:"routes"`
	Record         Record              `yaml:"record"`
	Edge           Edge                `yaml:"edge"`
	DecisionLog    DecisionLog         `yaml:"decision_log"`
	Tracing        Tracing             `yaml:"tracing"`

	DecisionDeadline Duration `yaml:"decision_deadline"` // of one evaluation of the policy
	Deadline         Duration `yaml:"deadline"`          // of an exchange without a message from Envoy
	SnapshotEvery    Duration `yaml:"snapshot_every"`    // to data_dir
	Drain            Duration `yaml:"drain"`             // how long open requests may finish at SIGTERM
	RawSyscalls      bool     `yaml:"raw_syscalls"`      // on Envoy's connections: see extproc.Direct
	LogLevel         LogLevel `yaml:"log_level"`

	// File is where this was read, "" where nowhere.
	File string `yaml:"-"`

	// Warnings are settings that are accepted and have no effect yet. A
	// reader must see them: a setting silently ignored is a trap.
	Warnings []string `yaml:"-"`
}

// Budget is how many false alerts the operator accepts: a budget, not
// thresholds.
type Budget struct {
	Alerts float64 `yaml:"alerts_per_1000_identities_per_day"`
	Max    int     `yaml:"max_alerts_per_day"`
}

// Breaker takes rules out of force that stop whom nothing speaks against: see
// policy/breaker.go.
type Breaker struct {
	Enabled bool     `yaml:"enabled"`
	Quiet   Duration `yaml:"quiet"` // after which a rule comes back by itself
}

// Routes says what is known of the API beforehand.
type Routes struct {
	OpenAPI        string   `yaml:"openapi"`         // an OpenAPI 3 description; "": none
	VersionHeaders []string `yaml:"version_headers"` // that name the API version where the path does not
	Operations     []string `yaml:"operations"`      // paths whose bodies say what is asked for, beside those called like it (route.Table.Carries)
}

// Record says where every exchange is kept for replay.
type Record struct {
	Path     string        `yaml:"path"`      // "": nothing is recorded
	MaxBytes profile.Bytes `yaml:"max_bytes"` // of one file
	Keep     int           `yaml:"keep"`      // full files, beside the one that is written
}

// Edge says how Envoy learns whom to refuse by itself, beside asking for it.
type Edge struct {
	File string `yaml:"file"` // absolute, kept for an Envoy that watches it; "": none
}

// Default is the configuration of an empty file.
func Default() *Config {
	return &Config{
		Mode:     policy.Shadow,
		Listen:   DefaultSocket,
		Admin:    "127.0.0.1:8181",
		Fail:     policy.FailOpen,
		Depth:    Adaptive,
		Timezone: Timezone{time.UTC},
		Budget:   Budget{Alerts: 1, Max: 50},
		Identity: identity.Default(),
		Profile:  profile.Default(),
		Policy:   defaultPolicy(),
		Breaker:  Breaker{Enabled: true, Quiet: Duration(policy.DefaultQuiet)},
		Routes:   Routes{VersionHeaders: route.VersionHeaders},

		Quarantine:  quarantine.Default(),
		Record:      Record{MaxBytes: 256 << 20, Keep: 4},
		DecisionLog: defaultDecisionLog(),
		Tracing:     Tracing{Ratio: 0.01},

		DecisionDeadline: Duration(policy.DefaultDeadline),
		Deadline:         Duration(5 * time.Minute),
		SnapshotEvery:    Duration(5 * time.Minute),
		Drain:            Duration(3 * time.Second),
		RawSyscalls:      true,
		LogLevel:         LogLevel{zerolog.InfoLevel},
	}
}
