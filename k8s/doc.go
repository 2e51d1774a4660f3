// Package k8s holds the manifests that put wonted beside Envoy in a cluster, and
// the tests that load them.
//
//	base/        the configuration and the policy: what every way in needs
//	components/  what is added to it, with kustomize
//	  sidecar/        wonted, into the pods of any workload labelled wonted: sidecar
//	  gateway/        an Envoy of its own in front of an API, for sidecar or shared
//	  shared/         a few wonted for many gateways, which share the callers out
//	  istio/          for the Envoys that Istio puts into pods
//	  envoy-gateway/  for those of Envoy Gateway
//	  data/           profiles on a volume that outlives the pod
//	  monitoring/     metrics, alerts and a dashboard
//	helm/wonted/ the same as a chart
//	examples/    one kustomization for each way in: kubectl apply -k examples/gateway
//	  demo/           the gateway with a sample API behind it, to try
//	compose/     Envoy, wonted and a sample API on one machine, without a cluster
//	image/       the program that make image calls
//	pod/         examples/demo and compose for real, under podman: make test-pod
//
// Start reading at components/sidecar/pod.yaml: what runs wonted is written there
// once, with the reasons. Other forms of the same pod, and what the program prints
// (Envoy's configuration, the policy), are generated, and a test compares them with
// what they should be today.
//
// Tests behind the build tag kube apply everything to a real kube-apiserver that
// knows the custom resources of Istio, the Gateway API, Envoy Gateway and the
// Prometheus operator: make test-k8s. There are no nodes behind it, so that
// nothing runs; package pod is for that. What Istio and Envoy Gateway make of their
// manifests is made by istiod and by Envoy Gateway's own translator there, loaded
// into Envoy, and asked for an answer. Nothing of wonted is imported here but what
// tests start.
package k8s

//go:generate go test -run "TestPrinted|TestCopiesOfThePod" -update
