package config

import (
	"fmt"
	"net/url"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// DecisionLog says where decisions are logged as OPA logs them, without their
// secrets; neither Path nor URL: nowhere. What is not plainly allowed is logged.
type DecisionLog struct {
	Path         string        `yaml:"path"`           // a file, one JSON object a line
	MaxBytes     profile.Bytes `yaml:"max_bytes"`      // of one file
	Keep         int           `yaml:"keep"`           // full files, beside the one that is written
	URL          string        `yaml:"url"`            // a service that takes OPA's decision logs
	Token        string        `yaml:"token"`          // file with the bearer token that it asks for
	CA           string        `yaml:"ca"`             // file of certificates (PEM) that vouch for it; "": the system's
	Every        Duration      `yaml:"every"`          // what passes between two uploads at most
	Plain        float64       `yaml:"plain"`          // share of what is plainly allowed that is logged, too: 0 to 1
	MaxPerSecond float64       `yaml:"max_per_second"` // decisions; what comes faster is dropped and counted
}

func defaultDecisionLog() DecisionLog {
	return DecisionLog{MaxBytes: 64 << 20, Keep: 4, Every: Duration(10 * time.Second), MaxPerSecond: 500}
}

func (c *Config) validateDecisionLog(from source) error {
	l := &c.DecisionLog
	if l.URL != "" {
		u, err := url.Parse(l.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return from.fault("decision_log.url", fmt.Sprintf("%q is no URL of a service: https://host/logs, without a user (token is a file)", l.URL))
		}
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			c.Warnings = append(c.Warnings, "decision_log.url: over http, whoever is on the way can read whom policies stop and why")
		}
	}
	for _, of := range [][2]string{{"token", l.Token}, {"ca", l.CA}} {
		if of[1] != "" && l.URL == "" {
			return from.fault("decision_log."+of[0], "there is no service that it could be about: set decision_log.url, or leave it out")
		}
	}
	switch {
	case l.MaxBytes < minRecord || l.MaxBytes > maxRecord:
		return from.fault("decision_log.max_bytes", fmt.Sprintf("%v is impossible: 1MiB to 1TiB", l.MaxBytes))
	case l.Keep < 1 || l.Keep > maxKeep:
		return from.fault("decision_log.keep", fmt.Sprintf("%d files are impossible: 1 to %d", l.Keep, maxKeep))
	case l.Every < Duration(leastPoll) || l.Every > Duration(mostPoll):
		return from.fault("decision_log.every", fmt.Sprintf("%v is impossible: %v to %v", l.Every, leastPoll, mostPoll))
	case !(l.Plain >= 0 && l.Plain <= 1):
		return from.fault("decision_log.plain", fmt.Sprintf("a share of %v is impossible: 0 to 1", l.Plain))
	case !(l.MaxPerSecond > 0 && l.MaxPerSecond <= 1e6):
		return from.fault("decision_log.max_per_second", fmt.Sprintf("%v decisions are impossible: above 0, at most 1000000", l.MaxPerSecond))
	}
	return nil
}
