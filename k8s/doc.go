// Package k8s will hold the manifests that put wonted beside Envoy in a
// cluster, and the tests that load them. It may import envoy, which renders
// the configuration that the manifests carry. There is nothing to read yet.
package k8s
