package detect

import (
	"strconv"

	"github.com/wonted-project/wonted/scoring"
)

// recons look what there is: paths that nobody told them.
func recons() []Scenario {
	words := [...]string{"admin", "internal", "users", "accounts", "backup", "config", "debug", "health", "metrics", "tokens",
		"keys", "env", "graphql", "swagger", "actuator", "console", "test", "private", "roles", "audit"}
	return []Scenario{{
		Name: "recon", Family: "recon", Twin: "release", Meant: []scoring.Detector{scoring.Recon, scoring.Errors},
		About: "60 routes that it never used, one in 2 s, six in ten are not there",
		Play: func(a *Attack) {
			for i := range 60 {
				c := a.Call(uint8(a.Rand.IntN(endpoints)))
				if a.Rand.Float64() < .6 {
					c.Path = "/v1/" + words[a.Rand.IntN(len(words))] + "/" + words[i%len(words)] + "-v" + strconv.Itoa(1+a.Rand.IntN(3))
					c.Method, c.Status, c.Bytes = "GET", 404, 90
				}
				a.Play(c)
				a.Wait(2 * second)
			}
		}}}
}
