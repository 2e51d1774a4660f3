package envoy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

func TestMain(m *testing.M) { os.Exit(envoytest.Main(m)) }

func plain() envoy.Options {
	return envoy.Options{Listen: "127.0.0.1:8080", Upstream: "127.0.0.1:9000", Wonted: "unix:///run/wonted/extproc.sock", FailOpen: true}
}

var allDepths = []envoy.Depth{envoy.DepthLog, envoy.DepthLean, envoy.DepthAdaptive, envoy.DepthHeaders, envoy.DepthBodies}

// everything has every option that can be combined.
func everything(t *testing.T) envoy.Options {
	ca := newAuthority(t)
	server, client := ca.server(t), ca.certificate
	opts := plain()
	opts.Admin = "127.0.0.1:9902"
	opts.Readiness, opts.Skip = "/ready", []string{"/healthz", "/static/*"}
	opts.UpstreamHTTP2, opts.ResponseHeaders, opts.ResponseBodies = true, true, true
	opts.LogHeaders = []string{"x-customer"}
	opts.MessageTimeout = time.Second
	opts.TrustedProxies = 2
	opts.TLS = &envoy.TLS{Certificate: server.certificate, Key: server.key, ClientCA: client}
	opts.JWT = []envoy.JWT{newIssuer(t).options(t)}
	opts.AccessLog = filepath.Join(t.TempDir(), "access.log")
	opts.BufferBytes = 1 << 20
	opts.Blocks = true
	return opts
}

// accepted asks Envoy whether it would start with a configuration.
func accepted(t testing.TB, name string, config []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "envoy.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(envoytest.Find(t), "--mode", "validate", "--log-level", "error", "-c", path).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
	if strings.Contains(string(out), "eprecated") {
		t.Errorf("%s: uses what Envoy will remove:\n%s", name, out)
	}
}

func TestEnvoyAcceptsWhatIsRendered(t *testing.T) {
	f := func(name string, change func(*envoy.Options)) {
		t.Helper()
		opts := plain()
		change(&opts)
		config, err := envoy.Bootstrap(opts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		accepted(t, name, config)
	}
	f("plain", func(*envoy.Options) {})
	f("bare", func(o *envoy.Options) { o.Wonted, o.Bare = "", true })
	f("fail closed", func(o *envoy.Options) { o.FailOpen, o.Readiness = false, "/ready" })
	f("fail closed in a pod", func(o *envoy.Options) { o.FailOpen, o.Readiness = false, envoy.ReadinessPod })
	f("paths left out", func(o *envoy.Options) { o.Skip = []string{"/", "/health", "/static/*", "/a.b/*"} })
	f("wonted over TCP", func(o *envoy.Options) { o.Wonted = "127.0.0.1:9002" })
	f("wonted by name", func(o *envoy.Options) { o.Wonted = "wonted.security.svc:9002" })
	f("wonted on every address", func(o *envoy.Options) { o.Wonted = ":9002" })
	f("wonted on an abstract socket", func(o *envoy.Options) { o.Wonted = "unix://@wonted" })
	f("upstream by name", func(o *envoy.Options) { o.Upstream = "api.internal:443" })
	f("every address", func(o *envoy.Options) { o.Listen = ":8080" })
	f("IPv6", func(o *envoy.Options) { o.Listen, o.Upstream = "[::1]:8080", "[::1]:9000" })
	f("several wonted", func(o *envoy.Options) {
		o.Depth, o.Replicas, o.Affinity = envoy.DepthHeaders, []string{"unix:///run/wonted/second.sock", "127.0.0.1:9003"}, "x-api-key"
	})
	f("a name of several wonted", func(o *envoy.Options) {
		o.Depth, o.Wonted, o.Affinity = envoy.DepthHeaders, "wonted.security.svc:9002", "x-api-key"
	})
	f("blocks by xDS", func(o *envoy.Options) { o.Blocks = true })
	f("blocks without a filter that asks", func(o *envoy.Options) { o.Blocks, o.Depth = true, envoy.DepthLog })
	f("blocks from a file", func(o *envoy.Options) {
		o.Blocks, o.BlocksFile = true, filepath.Join(t.TempDir(), "blocks.json")
		if err := os.WriteFile(o.BlocksFile, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	f("in place of wonted", func(o *envoy.Options) { o.Wonted, o.ExtAuthz = "", "127.0.0.1:9191" })
	for _, depth := range allDepths {
		f("everything at depth "+string(depth), func(o *envoy.Options) { *o = everything(t); o.Depth = depth })
	}
}

func TestTheProgramPrintsAConfigurationThatEnvoyAccepts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wonted.yaml")
	if err := os.WriteFile(path, []byte("listen: unix:///run/wonted/other.sock\nfail: open\ntrusted_proxies: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := exec.Command(envoytest.Build(t), "envoy", "config", "--for", "static", "--config", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"path: /run/wonted/other.sock", "failure_mode_allow: true", "xff_num_trusted_hops: 3"} {
		if !strings.Contains(string(config), line) {
			t.Errorf("wonted's own setting is not in it: %s", line)
		}
	}
	accepted(t, "printed", config)
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	f := func(want string, change func(*envoy.Options)) {
		t.Helper()
		opts := plain()
		change(&opts)
		_, err := envoy.Bootstrap(opts)
		switch {
		case err == nil:
			t.Errorf("accepted; want an error with %q", want)
		case !strings.Contains(err.Error(), want):
			t.Errorf("refused with %q; want %q in it", err, want)
		}
	}
	f("listen: \"\" is not host:port", func(o *envoy.Options) { o.Listen = "" })
	f("listen: \"8080\" is not host:port", func(o *envoy.Options) { o.Listen = "8080" })
	f("the port must be 0 to 65535", func(o *envoy.Options) { o.Listen = "127.0.0.1:80800" })
	f("Envoy binds addresses, not names", func(o *envoy.Options) { o.Listen = "localhost:8080" })
	f("Envoy binds addresses, not names", func(o *envoy.Options) { o.Admin = "localhost:9901" })
	f("is the address of listen as well", func(o *envoy.Options) { o.Admin = o.Listen })
	f("upstream: \"\" is not host:port", func(o *envoy.Options) { o.Upstream = "" })
	f("has no port to connect to", func(o *envoy.Options) { o.Upstream = "api:0" })
	f("upstream: \"http://api:80\" is not host:port", func(o *envoy.Options) { o.Upstream = "http://api:80" })
	f("wonted: no address", func(o *envoy.Options) { o.Wonted = "" })
	f("choose one", func(o *envoy.Options) { o.Bare = true })
	f("choose one", func(o *envoy.Options) { o.ExtAuthz = "127.0.0.1:9191" })
	f("ext_authz: \"here\" is not host:port", func(o *envoy.Options) { o.Wonted, o.ExtAuthz = "", "here" })
	f("depth: \"deep\" is none of log, lean, adaptive, headers, bodies", func(o *envoy.Options) { o.Depth = "deep" })
	f("log flush", func(o *envoy.Options) { o.LogFlush = time.Minute })
	f("log headers", func(o *envoy.Options) { o.LogHeaders = []string{"X-Customer"} })
	f("log headers", func(o *envoy.Options) { o.LogHeaders = []string{":path"} })
	f("replicas: they need", func(o *envoy.Options) { o.Replicas, o.Affinity = []string{"127.0.0.1:9003"}, "x-api-key" })
	f("replicas: they need", func(o *envoy.Options) { o.Affinity = "x-api-key" })
	f("replicas: name the request header by which callers are shared out", func(o *envoy.Options) {
		o.Depth, o.Replicas = envoy.DepthHeaders, []string{"127.0.0.1:9003"}
	})
	f("fail closed: every request is answered 500 until wonted is ready", func(o *envoy.Options) { o.FailOpen = false })
	f("depth bodies: each body comes to wonted in messages as large as Envoy buffers", func(o *envoy.Options) { o.Depth = envoy.DepthBodies })
	f("readiness: \"ready\" is neither the path", func(o *envoy.Options) { o.Readiness = "ready" })
	f("readiness: \"/ready/*\" is neither", func(o *envoy.Options) { o.Readiness = "/ready/*" })
	f("there is no wonted to be ready", func(o *envoy.Options) { o.Wonted, o.Bare, o.Readiness = "", true, "/ready" })
	for _, path := range []string{"", "/*", "healthz", "/a*", "/a//*", "/a?b", "/*/a", "*"} {
		f("is not a path", func(o *envoy.Options) { o.Skip = []string{path} })
	}
	f("ja4: without a TLS certificate", func(o *envoy.Options) { o.JA4 = true })
	f("replicas: \"there\" is not host:port", func(o *envoy.Options) { o.Depth, o.Replicas = envoy.DepthHeaders, []string{"there"} })
	f("affinity", func(o *envoy.Options) { o.Affinity = ":path" })
	f("blocks: they come from wonted", func(o *envoy.Options) { o.Wonted, o.Bare, o.Blocks = "", true, true })
	f("blocks: they come from wonted, and from one", func(o *envoy.Options) {
		o.Depth, o.Replicas, o.Affinity, o.Blocks = envoy.DepthHeaders, []string{"127.0.0.1:9003"}, "x-api-key", true
	})
	f("blocks file: \"/b.json\"", func(o *envoy.Options) { o.BlocksFile = "/b.json" })
	f("blocks file: \"b.json\" is not the absolute name", func(o *envoy.Options) { o.Blocks, o.BlocksFile = true, "b.json" })
	f("make the socket's path absolute", func(o *envoy.Options) { o.Wonted = "unix://extproc.sock" })
	f("nor unix:///path", func(o *envoy.Options) { o.Wonted = "/run/wonted/extproc.sock" })
	f("the kernel takes 107", func(o *envoy.Options) { o.Wonted = "unix:///" + strings.Repeat("d", 107) })
	f("message timeout", func(o *envoy.Options) { o.MessageTimeout = -time.Second })
	f("message timeout", func(o *envoy.Options) { o.MessageTimeout = time.Hour })
	f("trusted proxies", func(o *envoy.Options) { o.TrustedProxies = -1 })
	f("buffer", func(o *envoy.Options) { o.BufferBytes = 1 })
	f("buffer", func(o *envoy.Options) { o.BufferBytes = 64 << 20 })
	f("access log", func(o *envoy.Options) { o.AccessLog = "\xff" })
	f("tls certificate", func(o *envoy.Options) { o.TLS = &envoy.TLS{} })
	f("tls key", func(o *envoy.Options) { o.TLS = &envoy.TLS{Certificate: "/cert.pem"} })
	f("jwks", func(o *envoy.Options) { o.JWT = []envoy.JWT{{Name: "n", Issuer: "i"}} })
	f("needs a name of its own", func(o *envoy.Options) { o.JWT = []envoy.JWT{{Issuer: "i", JWKS: os.DevNull}} })
	f("tokens of any issuer", func(o *envoy.Options) { o.JWT = []envoy.JWT{{Name: "n", JWKS: os.DevNull}} })

	// All faults at once, not one a run.
	_, err := envoy.Bootstrap(envoy.Options{Wonted: "x"})
	for _, part := range []string{"listen", "upstream", "wonted"} {
		if err == nil || !strings.Contains(err.Error(), part+":") {
			t.Errorf("the error %q does not name %s", err, part)
		}
	}
}

func TestSocketOfTheLargestLengthIsAccepted(t *testing.T) {
	opts := plain()
	opts.Wonted = "unix:///" + strings.Repeat("d", 106)
	if _, err := envoy.Bootstrap(opts); err != nil {
		t.Error(err)
	}
}

func TestEveryReasonIsPrinted(t *testing.T) {
	var lines []string
	add := func(config []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(string(config), "\n")...)
	}
	for _, depth := range []envoy.Depth{envoy.DepthLog, envoy.DepthAdaptive} {
		opts := everything(t)
		opts.Depth = depth
		add(envoy.Bootstrap(opts))
		opts.FailOpen, opts.Readiness = true, ""
		add(envoy.Bootstrap(opts))
		for _, gateway := range []bool{false, true} {
			add(envoy.Istio(managed(t, gateway), envoy.Mesh{Gateway: gateway}))
		}
		add(envoy.EnvoyGateway(managed(t, true), ours))
	}
	spread := managed(t, true)
	spread.Depth, spread.Replicas, spread.Affinity, spread.Blocks = envoy.DepthHeaders, []string{"unix:///run/second.sock"}, "x-api-key", false
	add(envoy.EnvoyGateway(spread, ours))
	for _, r := range envoy.Reasons() {
		explained := false
		for i, line := range lines[1:] {
			body := strings.TrimLeft(line, " -")
			explained = explained || strings.HasPrefix(body, r) && strings.HasPrefix(strings.TrimSpace(lines[i]), "#")
		}
		if !explained {
			t.Errorf("no line %q with its reason above it", r)
		}
	}
}

// What stands in the request's way and what comes afterwards, by depth.
func TestADepthHasItsParts(t *testing.T) {
	f := func(depth envoy.Depth, filter, log, headers bool) {
		t.Helper()
		opts := plain()
		opts.Depth, opts.BufferBytes = depth, 1<<20
		config, err := envoy.Bootstrap(opts)
		if err != nil {
			t.Fatal(err)
		}
		for part, want := range map[string]bool{
			"name: envoy.filters.http.ext_proc": filter, "log_name: wonted": log, "- x-api-key": headers,
		} {
			if strings.Contains(string(config), part) != want {
				t.Errorf("depth %q: %q is there: %v, want %v", depth, part, !want, want)
			}
		}
	}
	f(envoy.DepthLog, false, true, true)
	f(envoy.DepthLean, true, true, false)
	f(envoy.DepthAdaptive, true, true, false)
	f("", true, true, false)
	f(envoy.DepthHeaders, true, false, false)
	f(envoy.DepthBodies, true, false, false)
}

func TestRenderingIsStable(t *testing.T) {
	opts := everything(t)
	first, err := envoy.Bootstrap(opts)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := envoy.Bootstrap(opts)
		if err != nil || string(again) != string(first) {
			t.Fatalf("the same options render differently (%v)", err)
		}
	}
}
