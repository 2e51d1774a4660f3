//go:build race

package policy

// underRace: sync.Pool drops what it is given at random then.
const underRace = true
