//go:build kube

package k8s

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	inspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// ingress is a gateway of Istio's: its pod, and what it listens to.
const ingress = `
apiVersion: v1
kind: Service
metadata:
  name: ingress
spec:
  selector: {istio: ingressgateway}
  ports:
  - {name: https, port: 8443, targetPort: 8443}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: ingress
spec:
  selector: {istio: ingressgateway}
  servers:
  - hosts: ["*"]
    port: {name: https, number: 8443, protocol: HTTPS}
    tls: {mode: SIMPLE, credentialName: ingress}
---
apiVersion: v1
kind: Pod
metadata:
  name: ingress
  labels: {istio: ingressgateway}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: istio-proxy
    image: proxy:1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

// TestAnIngressGatewayTakesThePatches is for what only gateways are told: to
// fingerprint clients, and how much to buffer.
func TestAnIngressGatewayTakesThePatches(t *testing.T) {
	const socket, ip, bytes = "/run/wonted/extproc.sock", "10.1.1.1", 1 << 20
	text, err := exec.Command(envoytest.Build(t), strings.Fields(fmt.Sprintf(
		"envoy config --for istio --config base/wonted.yaml --context gateway --selector istio=ingressgateway --ja4 --buffer-bytes %d", bytes))...).Output()
	if err != nil {
		t.Fatal(err)
	}
	where := namespace(t, "ingress")
	all, err := split([]byte(ingress + "---\n" + string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if o.Kind == "Pod" {
			makePod(t, o, where, ip)
		} else if err := api.apply(o, where, false); err != nil {
			t.Fatal(err)
		}
	}

	x := served(t, startIstiod(t), "router", "ingress", where, ip)
	l := x.listener("0.0.0.0_8443")
	if err := x.asks(l, socket); err != nil {
		t.Fatal(err)
	}
	if got := l.GetPerConnectionBufferLimitBytes().GetValue(); got != bytes {
		t.Errorf("it buffers %d bytes", got)
	}
	if err := fingerprints(l); err != nil {
		t.Error(err)
	}
	if err := accepts(t, x.write(t, meshBootstrap(t))); err != nil {
		t.Error(err)
	}
}

// fingerprints says what keeps a listener from giving clients a JA4.
func fingerprints(l *listenerv3.Listener) error {
	for _, f := range l.ListenerFilters {
		inspector := &inspectorv3.TlsInspector{}
		if !f.GetTypedConfig().MessageIs(inspector) {
			continue
		}
		if err := f.GetTypedConfig().UnmarshalTo(inspector); err != nil {
			return err
		}
		if inspector.GetEnableJa4Fingerprinting().GetValue() {
			return nil
		}
	}
	return fmt.Errorf("nobody fingerprints: %v", l.ListenerFilters)
}
