//go:build pod

package pod

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What make test-pod says: podman and kustomize, an Envoy, and the archive that
// make image has written.
var needed = []string{"PODMAN", "KUSTOMIZE", "ENVOY", "IMAGE"}

func TestMain(m *testing.M) {
	if err := ready(); err != nil {
		fmt.Fprintln(os.Stderr, "k8s/pod:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// ready gives podman its settings and the two images that the manifests name.
func ready() error {
	for _, name := range needed {
		if os.Getenv(name) == "" {
			return fmt.Errorf("%s is not set: make test-pod", name)
		}
	}
	if os.Geteuid() != 0 {
		return errors.New("the network of a pod is entered as root: run make test-pod as root")
	}
	dir, err := os.MkdirTemp("", "pod-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	settings, err := filepath.Abs(filepath.Join("..", "..", ".k8s", "containers.conf"))
	if err != nil {
		return err
	}
	text, err := containersConf()
	if err != nil {
		return err
	}
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		return err
	}
	os.Setenv("CONTAINERS_CONF", settings)

	out, err := run(nil, "load", "--input", os.Getenv("IMAGE"))
	if err != nil {
		return err
	}
	loaded := regexp.MustCompile(`Loaded image: (\S+)`).FindStringSubmatch(out)
	if loaded == nil {
		return fmt.Errorf("podman load says %q", out)
	}
	if _, err := run(nil, "tag", loaded[1], "wonted-project/wonted:latest"); err != nil {
		return err
	}
	content, err := envoyImage()
	if err != nil {
		return err
	}
	_, err = run(content, "import", "--change", "ENV PATH=/usr/local/bin:/usr/bin", "--change", `ENTRYPOINT ["/usr/local/bin/envoy"]`,
		"-", "envoyproxy/envoy:v1.40.0")
	return err
}

// containersConf are podman's settings: its own limits may be above those of
// whoever runs it, who is then not allowed to set them; where there is no systemd,
// nobody makes cgroups but itself; and names of services want netavark.
func containersConf() (string, error) {
	var limits []string
	for name, most := range map[string]struct {
		resource int
		most     uint64
	}{"nofile": {unix.RLIMIT_NOFILE, 1 << 20}, "nproc": {unix.RLIMIT_NPROC, 1 << 15}} {
		var now unix.Rlimit
		if err := unix.Getrlimit(most.resource, &now); err != nil {
			return "", err
		}
		n := min(now.Max, most.most)
		limits = append(limits, fmt.Sprintf("%q", fmt.Sprintf("%s=%d:%d", name, n, n)))
	}
	return "[containers]\ndefault_ulimits = [" + strings.Join(limits, ", ") + "]\n" +
		"[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\n" +
		"[network]\nnetwork_backend = \"netavark\"\n", nil
}

// envoyImage is an image like that of the Envoy project, as far as the manifests
// need it: Envoy, a shell for preStop, and the libraries of both.
func envoyImage() ([]byte, error) {
	from := map[string]string{"usr/local/bin/envoy": os.Getenv("ENVOY")} // path in the image: here
	for _, name := range []string{"bash", "sleep"} {
		path, err := exec.LookPath(name)
		if err != nil {
			return nil, err
		}
		from["usr/bin/"+name] = path
	}
	libraries := regexp.MustCompile(`(/\S+) \(0x`)
	for _, path := range []string{os.Getenv("ENVOY"), from["usr/bin/bash"], from["usr/bin/sleep"]} {
		out, _ := exec.Command("ldd", path).Output() // fails for a static program, which has none
		for _, found := range libraries.FindAllStringSubmatch(string(out), -1) {
			from[strings.TrimPrefix(found[1], "/")] = found[1]
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, path := range from {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: int64(fs.ModePerm), Size: int64(len(content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// run is podman before there is a test.
func run(in []byte, args ...string) (string, error) {
	cmd := exec.Command(os.Getenv("PODMAN"), args...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("podman %s: %w\n%s", args[0], err, out)
	}
	return string(out), err
}
