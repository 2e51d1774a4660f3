// Package envoytest sets a scene around a real Envoy for tests and
// benchmarks: a scriptable [Upstream], the real wonted program as a process
// ([StartWonted]) and Envoy between them ([StartEnvoy]). Everything runs on
// loopback or Unix sockets in the test's temporary directory, and is ended
// with the test by process id.
//
// It may import package envoy and the standard library. Start with
// upstream.go for what a test can ask of the upstream in its URL.
package envoytest
