//go:build !unix || race

package profile

// reserve is the plain heap where memory cannot be mapped, and under the race
// detector, which sees nothing else. Fresh large blocks are not resident
// before they are touched here either.
func reserve[T any](n int) []T { return make([]T, n) }

func release[T any]([]T) {}
