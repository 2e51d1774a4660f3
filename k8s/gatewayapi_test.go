//go:build kube

package k8s

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/health_check/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/load_balancing_policies/least_request/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// surroundings are what the example needs of a cluster with Envoy Gateway.
const surroundings = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: envoy
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
---
apiVersion: v1
kind: Service
metadata:
  name: shop
  namespace: default
spec:
  clusterIP: 127.0.0.1
  ports:
  - {name: http, port: 8000, targetPort: 8000}
`

// theGateway is the listener that is made of the example's Gateway.
const theGateway = "default/api/http"

// example is the example with its surroundings, changed as asked.
func example(t *testing.T, change *strings.Replacer) string {
	t.Helper()
	text := surroundings
	for _, o := range build(t, "examples/envoy-gateway") {
		if !strings.HasPrefix(o.APIVersion, "gateway.") {
			continue
		}
		one := "\n" + strings.TrimSpace(string(o.text)) + "\n"
		if o.Metadata.Namespace == "" { // the current one of kubectl; egctl has another
			one = strings.Replace(one, "\nmetadata:\n", "\nmetadata:\n  namespace: default\n", 1)
		}
		text += "---" + one
	}
	return change.Replace(text)
}

// translate is what Envoy Gateway's translator makes of manifests. Routes and
// endpoints are put where they belong, for an Envoy that nobody serves them to.
func translate(t *testing.T, text string) (xds, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	place(t, file, text)
	var complaint bytes.Buffer
	cmd := exec.Command(filepath.Join(tools, "bin", "egctl"), "experimental", "translate",
		"--from", "gateway-api", "--to", "xds", "--type", "all", "--output", "json", "--file", file)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return xds{}, fmt.Errorf("egctl: %w\n%s", err, &complaint)
	}
	var gateways struct {
		XDS map[string]struct{ Configs []json.RawMessage }
	}
	if err := json.Unmarshal(out, &gateways); err != nil {
		return xds{}, fmt.Errorf("egctl: %w in\n%s", err, out)
	}
	dump := &adminv3.ConfigDump{}
	for _, section := range gateways.XDS["default/api"].Configs {
		c := &anypb.Any{}
		if bytes.Contains(section, []byte("envoy.admin.v3.BootstrapConfigDump")) {
			continue // of the pods that Envoy Gateway makes
		}
		if err := protojson.Unmarshal(section, c); err != nil {
			return xds{}, fmt.Errorf("egctl: %w in\n%s", err, section)
		}
		dump.Configs = append(dump.Configs, c)
	}
	return static(dump)
}

// static takes a dump apart.
func static(dump *adminv3.ConfigDump) (x xds, err error) {
	routes, endpoints := map[string]*routev3.RouteConfiguration{}, map[string]*endpointv3.ClusterLoadAssignment{}
	unpack := func(packed *anypb.Any, into proto.Message) {
		if err == nil {
			err = packed.UnmarshalTo(into)
		}
	}
	for _, c := range dump.Configs {
		section, unknown := c.UnmarshalNew()
		if unknown != nil {
			return x, unknown
		}
		switch s := section.(type) {
		case *adminv3.ClustersConfigDump:
			for _, d := range s.DynamicActiveClusters {
				x.clusters = append(x.clusters, &clusterv3.Cluster{})
				unpack(d.Cluster, x.clusters[len(x.clusters)-1])
			}
		case *adminv3.ListenersConfigDump:
			for _, d := range s.DynamicListeners {
				x.listeners = append(x.listeners, &listenerv3.Listener{})
				unpack(d.ActiveState.Listener, x.listeners[len(x.listeners)-1])
			}
		case *adminv3.RoutesConfigDump:
			for _, d := range s.DynamicRouteConfigs {
				r := &routev3.RouteConfiguration{}
				unpack(d.RouteConfig, r)
				routes[r.Name] = r
			}
		case *adminv3.EndpointsConfigDump:
			for _, d := range s.DynamicEndpointConfigs {
				e := &endpointv3.ClusterLoadAssignment{}
				unpack(d.EndpointConfig, e)
				endpoints[e.ClusterName] = e
			}
		}
	}
	for _, c := range x.clusters {
		if c.GetEdsClusterConfig() != nil {
			c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
			c.LoadAssignment, c.EdsClusterConfig = endpoints[c.Name], nil
		}
	}
	for _, l := range x.listeners {
		if err == nil {
			err = edit(l, func(m *hcmv3.HttpConnectionManager) error {
				if r := m.GetRds(); r != nil {
					m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes[r.RouteConfigName]}
				}
				return nil
			})
		}
	}
	return x, err
}

// gatewayBootstrap is an Envoy's own part of its configuration.
func gatewayBootstrap() *bootstrapv3.Bootstrap {
	return &bootstrapv3.Bootstrap{
		Node:            &corev3.Node{Id: "gateway", Cluster: "gateway"},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{},
	}
}

// TestEnvoyGatewayTranslatesThePolicies has Envoy Gateway's own translator make
// Envoy's configuration of the example, loads it into Envoy, and sends traffic
// through it, with wonted and the API at its other sides.
func TestEnvoyGatewayTranslatesThePolicies(t *testing.T) {
	upstream := envoytest.StartUpstream(t)
	wonted := envoytest.StartWonted(t, envoytest.Settings{Policy: refusing})
	socket := strings.TrimPrefix(wonted.Listen, "unix://")
	_, port, _ := net.SplitHostPort(upstream.Address())
	x, err := translate(t, example(t, strings.NewReplacer("/run/wonted/extproc.sock", socket, "8000", port,
		"messageTimeout: 200ms", "messageTimeout: 15s"))) // a slow machine is no failure
	if err != nil {
		t.Fatal(err)
	}
	gateway := x.listener(theGateway)
	if err := x.asks(gateway, socket); err != nil {
		t.Fatal(err)
	}

	x.listeners = []*listenerv3.Listener{gateway}
	x.refuses(t, gateway, gatewayBootstrap(), upstream)
}

// TestMistakesOfAGatewayAreFound breaks the manifests, so that translator, Envoy
// and the test above are known to look.
func TestMistakesOfAGatewayAreFound(t *testing.T) {
	const socket = "/run/wonted/extproc.sock"
	const peers = "subject_peer_certificate\n  targetRefs:\n  - group: gateway.networking.k8s.io\n    kind: Gateway\n    name: "
	for about, m := range map[string]struct{ old, new, complaint string }{
		"another Gateway":  {peers + "api", peers + "other", "before the router there is no processor"},
		"another socket":   {"path: " + socket, "path: /run/other.sock", "does not lead to " + socket},
		"another listener": {"name: default/api/http", "name: default/api/https", "the first filter is not wonted's list of blocks"},
		"another filter":   {"wonted/extproc/0", "wonted/extproc/1", "not wonted's processor"},
		"no such field":    {"failOpen: true", "failsOpen: true", "failsOpen"},
		"no regex":         {"|:path)$", "|:path$", "missing )"},
	} {
		t.Run(about, func(t *testing.T) {
			x, err := translate(t, example(t, strings.NewReplacer(m.old, m.new)))
			if err == nil {
				err = x.asks(x.listener(theGateway), socket)
			}
			if err == nil {
				err = accepts(t, x.write(t, gatewayBootstrap()))
			}
			if err == nil || !strings.Contains(err.Error(), m.complaint) {
				t.Errorf("got %v, want a complaint with %q", err, m.complaint)
			}
		})
	}
}
