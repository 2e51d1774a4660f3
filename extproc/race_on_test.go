//go:build race

package extproc

// raceEnabled: under the race detector sync.Pool drops items at random, so that
// what claims to allocate nothing sometimes does.
const raceEnabled = true
