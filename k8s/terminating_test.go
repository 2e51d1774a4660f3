//go:build kube

package k8s

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// terminating is a Gateway that terminates TLS, and its certificate.
const terminating = surroundings + `---
apiVersion: v1
kind: Secret
metadata:
  name: shop
  namespace: default
type: kubernetes.io/tls
data: {tls.crt: %s, tls.key: %s}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: api
  namespace: default
spec:
  gatewayClassName: envoy
  listeners:
  - {name: http, protocol: HTTPS, port: 443, tls: {mode: Terminate, certificateRefs: [{name: shop}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
  namespace: default
spec:
  parentRefs: [{name: api}]
  rules: [{backendRefs: [{name: shop, port: 8000}]}]
---
`

// certificate is one and its key, as a Secret has them.
func certificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"shop.example"}, NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, bytes []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return text("CERTIFICATE", signed), text("PRIVATE KEY", packed)
}

// TestAGatewayThatTerminatesTLSTakesThePolicies is for what the example leaves out:
// tokens, the fingerprint of clients, and how much to buffer.
func TestAGatewayThatTerminatesTLSTakesThePolicies(t *testing.T) {
	const socket, buffer = "/run/wonted/extproc.sock", 1 << 20
	keys := filepath.Join(t.TempDir(), "jwks.json")
	place(t, keys, publicKeys)
	policies, err := exec.Command(envoytest.Build(t), strings.Fields(fmt.Sprintf("envoy config --for envoy-gateway --config base/wonted.yaml"+
		" --gateway api --listener http --ja4 --buffer-bytes %d --jwt-issuer https://issuer.example --jwt-jwks %s", buffer, keys))...).Output()
	if err != nil {
		t.Fatal(err)
	}
	shown, key := certificate(t)
	x, err := translate(t, fmt.Sprintf(terminating, shown, key)+string(policies))
	if err != nil {
		t.Fatal(err)
	}
	l := x.listener(theGateway)
	if err := x.asks(l, socket); err != nil {
		t.Fatal(err)
	}
	if got := l.GetPerConnectionBufferLimitBytes().GetValue(); got != buffer {
		t.Errorf("it buffers %d bytes", got)
	}
	if err := fingerprints(l); err != nil {
		t.Error(err)
	}
	if err := edit(l, func(m *hcmv3.HttpConnectionManager) error { return has(m, "envoy.filters.http.jwt_authn") }); err != nil {
		t.Error(err)
	}
	if err := accepts(t, x.write(t, meshBootstrap(t))); err != nil { // certificates come from a control plane
		t.Error(err)
	}
}
