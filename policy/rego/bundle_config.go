package rego

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/plugins"
)

// bundleName is that of the one bundle, for OPA and on disk.
const bundleName = "policy"

// pluginConfig is what OPA reads.
type pluginConfig struct{ manager, bundles []byte }

type section = map[string]any

func (src *BundleSource) config(fetch *fetcher, trigger plugins.TriggerMode) (cfg pluginConfig, err error) {
	polling := section{"min_delay_seconds": seconds(src.Min), "max_delay_seconds": seconds(src.Max)}
	if src.Wait > 0 {
		polling["long_polling_timeout_seconds"] = seconds(src.Wait)
	}
	source := section{
		"service": "server", "resource": strings.TrimPrefix(fetch.url.Path, "/"), "trigger": trigger, "polling": polling,
		"persist": src.Dir != "", "size_limit_bytes": src.MaxBytes,
	}
	manager := section{"services": section{"server": section{"url": fetch.base(), "credentials": section{"plugin": fetcherName}}}}
	if src.Dir != "" {
		manager["persistence_directory"] = src.Dir
	}
	if src.Signing.Key != "" {
		key, err := os.ReadFile(src.Signing.Key)
		if err != nil {
			return cfg, fmt.Errorf("signing key: %w", err)
		}
		manager["keys"] = section{bundleName: section{"key": strings.TrimSpace(string(key)), "algorithm": src.Signing.Algorithm, "scope": src.Signing.Scope}}
		source["signing"] = section{"keyid": bundleName, "scope": src.Signing.Scope}
	}
	if cfg.manager, err = json.Marshal(manager); err != nil {
		return cfg, err
	}
	cfg.bundles, err = json.Marshal(section{bundleName: source})
	return cfg, err
}

// seconds are whole, and at least one.
func seconds(d time.Duration) int64 { return max(1, int64(d/time.Second)) }
