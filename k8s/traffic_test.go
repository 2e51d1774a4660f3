//go:build kube

package k8s

import (
	"net/http"
	"net/netip"
	"slices"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// address is one of this machine's.
func address(at string) *corev3.Address {
	a := netip.MustParseAddrPort(at)
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: a.Addr().String(), PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(a.Port())},
	}}}
}

// refusing is the policy of wonted in these tests.
const refusing = `package wonted.policy

deny contains "private" if startswith(input.request.path, "/private")

request_headers contains {"name": "x-wonted-score", "value": "ours"}
`

// refuses runs Envoy with x, whose listener l leads to upstream, and sends requests
// that wonted lets through with a header of its own, and that it refuses.
func (x xds) refuses(t *testing.T, l *listenerv3.Listener, b *bootstrapv3.Bootstrap, upstream *envoytest.Upstream) {
	t.Helper()
	free := addresses(t, 2)
	l.Address, b.Admin = address(free[0]), &bootstrapv3.Admin{Address: address(free[1])}
	file := x.write(t, b)
	if err := accepts(t, file); err != nil {
		t.Fatal(err)
	}
	run(t, envoytest.Find(t), "--config-path", file, "--log-level", "warning", "--concurrency", "1", "--disable-hot-restart")
	answers(t, "http://"+free[1]+"/ready", http.StatusOK)
	for path, status := range map[string]int{"/orders": http.StatusOK, "/private": http.StatusForbidden} {
		request, err := http.NewRequest(http.MethodGet, "http://"+free[0]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(envoytest.MarkHeader, path)
		request.Header.Set("x-wonted-score", "theirs")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%s is answered %s", path, response.Status)
		}
	}
	if seen := upstream.Seen("/orders"); len(seen) != 1 || !slices.Equal(seen[0].Values("x-wonted-score"), []string{"ours"}) {
		t.Errorf("the API has seen %v", seen)
	}
	if seen := upstream.Seen("/private"); len(seen) != 0 {
		t.Errorf("the API has seen what was refused: %v", seen)
	}
}
