package envoy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/http/original_ip_detection/xff/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// ours is the Gateway of these tests.
var ours = envoy.Gateway{Namespace: "shop", Gateway: "edge", Listeners: []string{"http"}}

// managed has every option that an Envoy of somebody's control plane can have.
func managed(t *testing.T, gateway bool) envoy.Options {
	t.Helper()
	issuer := newIssuer(t).options(t)
	keys, err := os.ReadFile(issuer.JWKS)
	if err != nil {
		t.Fatal(err)
	}
	issuer.Keys, issuer.Audiences = string(keys), []string{"api"}
	return envoy.Options{
		Wonted: "unix:///run/wonted/extproc.sock", FailOpen: true, TrustedProxies: 1,
		AccessLog: "/dev/stdout", BufferBytes: 1 << 20, Blocks: true, JA4: gateway,
		JWT: []envoy.JWT{issuer},
	}
}

// manifest is a document of a YAML stream.
type manifest struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Spec     json.RawMessage
}

func manifests(t testing.TB, text []byte) map[string]manifest {
	t.Helper()
	all := map[string]manifest{}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var one any
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		packed, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		var m manifest
		if err := json.Unmarshal(packed, &m); err != nil {
			t.Fatal(err)
		}
		if _, twice := all[m.Kind]; twice {
			t.Fatalf("%s: twice", m.Kind)
		}
		all[m.Kind] = m
	}
}

// delivered is a configuration whose listener and clusters come while Envoy
// runs, as from a control plane: here, from files.
func delivered(t testing.TB, listener *listenerv3.Listener, clusters ...*clusterv3.Cluster) []byte {
	t.Helper()
	dir := t.TempDir()
	source := func(name string, resources ...proto.Message) *corev3.ConfigSource {
		all := &discoveryv3.DiscoveryResponse{VersionInfo: "1"}
		for _, r := range resources {
			packed, err := anypb.New(r)
			if err != nil {
				t.Fatal(err)
			}
			all.Resources = append(all.Resources, packed)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, marshal(t, all), 0o600); err != nil {
			t.Fatal(err)
		}
		return &corev3.ConfigSource{
			ResourceApiVersion:    corev3.ApiVersion_V3,
			ConfigSourceSpecifier: &corev3.ConfigSource_PathConfigSource{PathConfigSource: &corev3.PathConfigSource{Path: path}},
		}
	}
	var resources []proto.Message
	for _, c := range clusters {
		resources = append(resources, c)
	}
	return marshal(t, &bootstrapv3.Bootstrap{
		Node:  &corev3.Node{Id: "pod", Cluster: "shop"},
		Admin: &bootstrapv3.Admin{Address: loopback(0)},
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{
			LdsConfig: source("lds.json", listener), CdsConfig: source("cds.json", resources...),
		},
	})
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	text, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func loopback(port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: "127.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}

// parse reads a message out of YAML.
func parse[M proto.Message](t testing.TB, m M, text string, args ...any) M {
	t.Helper()
	packed, err := yaml.YAMLToJSON(fmt.Appendf(nil, text, args...))
	if err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal(packed, m); err != nil {
		t.Fatalf("%T: %v", m, err)
	}
	return m
}

// besideManaged is a scene behind one trusted proxy whose Envoy has the
// configuration that deliver makes for this upstream and these options.
func besideManaged(t testing.TB, deliver func(upstream string, opts envoy.Options) []byte) *scene {
	t.Helper()
	s := &scene{TB: t, upstream: envoytest.StartUpstream(t), access: filepath.Join(t.TempDir(), "access.log")}
	s.wonted = envoytest.StartWonted(t, envoytest.Settings{
		Policy: rego(
			`deny contains "private" if startswith(input.request.path, "/private")`,
			`quarantine contains {"entity": "network", "ttl": "1h"} if startswith(input.request.path, "/admin.php")`,
			`request_headers contains {"name": "x-wonted-score", "value": "ours"}`,
		),
		More: "trusted_proxies: 1\n",
	})
	config := deliver(s.upstream.Address(), envoy.Options{
		Wonted: s.wonted.Listen, Depth: envoy.Depth(s.wonted.Depth), FailOpen: true, Blocks: true, AccessLog: s.access,
		TrustedProxies: 1, MessageTimeout: patient, LogFlush: 10 * time.Millisecond,
	})
	accepted(t, "delivered", config)
	p, err := envoy.StartConfig(t.Context(), envoytest.Find(t), config, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("envoy's log ends:\n%s", p.LogTail(20))
		}
	})
	s.envoy = p
	return s
}

// provesManaged sends traffic through an Envoy that somebody else configures: it
// asks, refuses, strips, tells, blocks and goes on as with wonted's own bootstrap.
func (s *scene) provesManaged() {
	s.Helper()
	c, m := http1(s), mark()
	s.wants(s.get(c, "//a/../orders", m, "x-api-key", "k", "x-wonted-score", "theirs", "x-forwarded-for", bystander), http.StatusOK)
	seen := s.upstream.Seen(m)
	if len(seen) != 1 || !slices.Equal(seen[0].Values("x-wonted-score"), []string{"ours"}) {
		s.Errorf("upstream has seen %v", seen)
	}
	if log := s.logged(m); log.Wonted.Action != "allow" || !decisionID.MatchString(log.Wonted.ID) {
		s.Errorf("access log's verdict is %+v", log.Wonted)
	}
	s.wants(s.get(c, "/private", mark(), "x-api-key", "k", "x-forwarded-for", bystander), http.StatusForbidden)
	s.ended("answered", 1)
	if p, ok := s.wonted.Profile(s, "k"); !ok || p.Accepted != 1 {
		s.Errorf("the caller's profile: %+v (%v)", p, ok)
	}
	s.wants(s.from(c, intruder, "/admin.php"), http.StatusOK)
	s.refusedByEnvoy(c, neighbour)
	s.wants(s.from(c, bystander, "/orders"), http.StatusOK)

	// The block holds while wonted is away, all others pass, and it is asked
	// again as soon as it is back.
	s.wonted.Kill()
	if got := s.from(c, neighbour, "/orders"); !byEnvoy(got) {
		s.Errorf("without wonted it is answered %d %q", got.StatusCode, got.body)
	}
	s.wants(s.from(c, bystander, "/private"), http.StatusOK)
	s.wonted.Start(s)
	s.wants(s.from(c, bystander, "/private"), http.StatusForbidden)
	if n := s.metric("wonted_access_log_entries_total", `result="unreadable"`); n != 0 {
		s.Errorf("%v entries are unreadable", n)
	}
}
