// Package pod runs the manifests of k8s/ as real pods, and k8s/compose: the image
// that make image writes, a real Envoy and the sample API, under podman. make
// test-pod runs its tests, which are behind the build tag pod, as root.
//
// Podman 4.3 knows containers and volumes, and no native sidecars; so the tests do
// what kubelet does with the rest of a manifest, and in its order: sidecars first,
// the others once the startup probe is content, preStop before an end, sidecars
// last. Every pod has a loopback of its own and no other network.
//
// Two things were found this way. Envoy took connections up to its end and cut
// the last of them off: its preStop closes the port first now. And an API in
// Envoy's pod has to outlive that preStop, or Envoy has nobody to forward to.
//
// Start reading at pod_test.go, which says what must hold; manifest_test.go says
// what podman is given in place of what the manifest says, and kubelet_test.go
// how a pod lives. Nothing of wonted is imported here.
package pod
