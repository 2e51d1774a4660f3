// Package bench measures wonted from outside: through a real Envoy, beside
// the reference processor of package bench/noop, under the same load.
//
//	go test ./bench -run '^$' -bench FirstLook -benchtime 1x
//
// It may import package envoy (and its envoytest in tests), and nothing of
// wonted's inside: what it measures is the program. Times are reported and
// never gate. Start reading at firstlook_test.go; load.go is the client.
package bench
