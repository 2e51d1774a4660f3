//go:build kube

package k8s

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// tools is the directory that .ci/kube fills.
var tools = os.Getenv("K8S_TOOLS")

// api is the cluster of all tests of this package: a real kube-apiserver over a
// real etcd, without nodes, so that what is applied is judged and runs nowhere.
var api *cluster

func TestMain(m *testing.M) {
	if tools == "" {
		fmt.Fprintln(os.Stderr, "K8S_TOOLS is not set: make test-k8s")
		os.Exit(1)
	}
	var stop func()
	var err error
	if api, stop, err = startCluster(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := envoytest.Main(m)
	stop()
	os.Exit(status)
}

// cluster is how to talk to the kube-apiserver.
type cluster struct {
	url       string
	token     string
	authority string // the file with whose certificate it serves
	client    *http.Client
	kinds     map[string]kind // by apiVersion and kind
}

// startCluster answers when the server is ready, and all custom resources are
// served.
func startCluster() (_ *cluster, _ func(), err error) {
	dir, err := os.MkdirTemp("", "k8s-*")
	if err != nil {
		return nil, nil, err
	}
	var started []*exec.Cmd
	stop := func() {
		for i := len(started) - 1; i >= 0; i-- {
			started[i].Process.Kill()
			started[i].Wait()
		}
		os.RemoveAll(dir)
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	start := func(name string, args ...string) error {
		said, err := os.Create(filepath.Join(dir, name+".log"))
		if err != nil {
			return err
		}
		defer said.Close()
		cmd := exec.Command(filepath.Join(tools, "bin", name), args...)
		cmd.Stdout, cmd.Stderr = said, said
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive the tests
		if err := cmd.Start(); err != nil {
			return err
		}
		started = append(started, cmd)
		return nil
	}

	ports, err := freePorts(3)
	if err != nil {
		return nil, nil, err
	}
	etcd, peer := "http://"+ports[0], "http://"+ports[1]
	if err := start("etcd", "--data-dir", filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--log-level", "warn",
		"--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer); err != nil {
		return nil, nil, err
	}
	c := &cluster{
		url: "https://" + ports[2], token: rand.Text(), authority: filepath.Join(dir, "certs", "apiserver.crt"),
		kinds: map[string]kind{},
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	signing, tokens := filepath.Join(dir, "signing.pem"), filepath.Join(dir, "tokens.csv")
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(signing, text, 0o600); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(tokens, []byte(c.token+",tester,tester,system:masters\n"), 0o600); err != nil {
		return nil, nil, err
	}
	_, port, _ := net.SplitHostPort(ports[2])
	if err := start("kube-apiserver", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", port,
		"--cert-dir", filepath.Join(dir, "certs"), "--token-auth-file", tokens, "--authorization-mode", "RBAC",
		"--service-account-issuer", "https://kubernetes.default", "--service-account-key-file", signing,
		"--service-account-signing-key-file", signing, "--service-cluster-ip-range", "10.0.0.0/24",
		// There is no controller that would make service accounts for pods.
		"--disable-admission-plugins", "ServiceAccount"); err != nil {
		return nil, nil, err
	}

	var certificate *x509.CertPool
	if err := wait(func() error {
		text, err := os.ReadFile(c.authority)
		if certificate = x509.NewCertPool(); err == nil && !certificate.AppendCertsFromPEM(text) {
			err = fmt.Errorf("no certificate in apiserver.crt")
		}
		return err
	}); err != nil {
		return nil, nil, fmt.Errorf("kube-apiserver: %w\n%s", err, logOf(dir, "kube-apiserver"))
	}
	c.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: certificate}}}
	if err := wait(func() error {
		_, err := c.call(http.MethodGet, "/readyz", "", nil)
		return err
	}); err != nil {
		return nil, nil, fmt.Errorf("kube-apiserver is not ready: %w\n%s", err, logOf(dir, "kube-apiserver"))
	}
	if err := c.define(filepath.Join(tools, "crds")); err != nil {
		return nil, nil, err
	}
	return c, stop, nil
}

// patience is for a machine that has other things to do as well.
const patience = 2 * time.Minute

// wait tries until it works, or patience ends.
func wait(try func() error) (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}

// freePorts are n addresses of loopback that nobody listened on just now.
func freePorts(n int) (all []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all, nil
}

// logOf is the end of what a program has said.
func logOf(dir, name string) []byte {
	text, _ := os.ReadFile(filepath.Join(dir, name+".log"))
	lines := bytes.Split(text, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-20):], []byte("\n"))
}
