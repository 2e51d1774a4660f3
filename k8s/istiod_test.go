//go:build kube

package k8s

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// startIstiod runs Istio's control plane on the cluster of the tests, and answers
// where it serves xDS. Switched off is what only Istio's own build of Envoy has.
func startIstiod(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	config, mesh := filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "mesh")
	place(t, config, fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: tests
contexts: [{name: tests, context: {cluster: tests, user: tests}}]
clusters: [{name: tests, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: tests, user: {token: %q}}]
`, api.url, api.authority, api.token))
	place(t, mesh, "enablePrometheusMerge: false\n")
	for _, off := range []string{"PILOT_ENABLE_METADATA_EXCHANGE", "PILOT_ENABLE_ALPN_FILTER"} {
		t.Setenv(off, "false")
	}
	namespace(t, "istio-system")
	free := addresses(t, 4)
	_, introspection, _ := net.SplitHostPort(free[3])
	run(t, filepath.Join(tools, "bin", "pilot-discovery"), "discovery", "--kubeconfig", config, "--meshConfig", mesh,
		"--namespace", "istio-system", "--clusterID", "Kubernetes", "--httpAddr", free[0], "--grpcAddr", free[1], "--monitoringAddr", free[2],
		"--httpsAddr", "", "--secureGRPCAddr", "", "--ctrlz_address", "127.0.0.1", "--ctrlz_port", introspection)
	answers(t, "http://"+free[0]+"/ready", http.StatusOK)
	return free[1]
}

// served is what istiod serves to the Envoy of a pod: a sidecar, or a router.
func served(t *testing.T, istiod, kind, pod, namespace, ip string) (x xds) {
	t.Helper()
	conn, err := grpc.NewClient(istiod, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := structpb.NewStruct(map[string]any{"NAMESPACE": namespace, "CLUSTER_ID": "Kubernetes", "ISTIO_VERSION": "1.31.1"})
	if err != nil {
		t.Fatal(err)
	}
	node := &corev3.Node{Id: kind + "~" + ip + "~" + pod + "." + namespace + "~" + namespace + ".svc.cluster.local", Metadata: metadata}
	ask := func(kind proto.Message, each func() proto.Message) {
		t.Helper()
		url := "type.googleapis.com/" + string(kind.ProtoReflect().Descriptor().FullName())
		if err := stream.Send(&discoveryv3.DiscoveryRequest{Node: node, TypeUrl: url}); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil || answer.TypeUrl != url {
			t.Fatalf("istiod serves %q for %q: %v", answer.GetTypeUrl(), url, err)
		}
		for _, r := range answer.Resources {
			if err := r.UnmarshalTo(each()); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask(&clusterv3.Cluster{}, func() proto.Message {
		x.clusters = append(x.clusters, &clusterv3.Cluster{})
		return x.clusters[len(x.clusters)-1]
	})
	ask(&listenerv3.Listener{}, func() proto.Message {
		x.listeners = append(x.listeners, &listenerv3.Listener{})
		return x.listeners[len(x.listeners)-1]
	})
	return x
}

// meshBootstrap is what Istio's agent writes for Envoy, as far as what is served
// refers to it.
func meshBootstrap(t *testing.T) *bootstrapv3.Bootstrap {
	t.Helper()
	b := &bootstrapv3.Bootstrap{}
	const agent = `{"name": %q, "loadAssignment": {"clusterName": %q, "endpoints": [{"lbEndpoints":
		[{"endpoint": {"address": {"pipe": {"path": "/var/run/agent.sock"}}}}]}]}}`
	if err := protojson.Unmarshal(fmt.Appendf(nil, `{"node": {"id": "sidecar", "cluster": "shop.mesh"},
		"staticResources": {"clusters": [`+agent+`, `+agent+`]},
		"dynamicResources": {"adsConfig": {"apiType": "GRPC", "transportApiVersion": "V3", "grpcServices": [{"envoyGrpc": {"clusterName": "xds-grpc"}}]}}}`,
		"sds-grpc", "sds-grpc", "xds-grpc", "xds-grpc"), b); err != nil {
		t.Fatal(err)
	}
	return b
}

// makePod makes a pod that runs, as far as istiod can see.
func makePod(t *testing.T, p object, namespace, ip string) {
	t.Helper()
	if err := api.apply(p, namespace, false); err != nil {
		t.Fatal(err)
	}
	path, err := api.path(p, namespace)
	if err != nil {
		t.Fatal(err)
	}
	status := fmt.Sprintf(`{"status": {"phase": "Running", "podIP": %q, "podIPs": [{"ip": %q}], "conditions": [{"type": "Ready", "status": "True"}]}}`, ip, ip)
	if _, err := api.call(http.MethodPatch, path+"/status", "application/merge-patch+json", []byte(status)); err != nil {
		t.Fatal(err)
	}
}
