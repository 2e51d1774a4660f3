//go:build pod

package pod

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// manifest is what the tests read of a pod: what kubelet does, and podman does not.
type manifest struct {
	InitContainers []container `yaml:"initContainers"`
	Containers     []container `yaml:"containers"`
	Grace          int         `yaml:"terminationGracePeriodSeconds"`
}

type container struct {
	Name  string `yaml:"name"`
	Ports []struct {
		Name          string `yaml:"name"`
		ContainerPort int    `yaml:"containerPort"`
	} `yaml:"ports"`
	RestartPolicy  string `yaml:"restartPolicy"`
	StartupProbe   *probe `yaml:"startupProbe"`
	ReadinessProbe *probe `yaml:"readinessProbe"`
	Lifecycle      struct {
		PreStop struct {
			Exec struct {
				Command []string `yaml:"command"`
			} `yaml:"exec"`
			Sleep struct {
				Seconds int `yaml:"seconds"`
			} `yaml:"sleep"`
		} `yaml:"preStop"`
	} `yaml:"lifecycle"`
}

type probe struct {
	HTTPGet *struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
	TCPSocket *struct {
		Port string `yaml:"port"`
	} `yaml:"tcpSocket"`
}

// tree is a part of a manifest as it was written.
type tree = map[string]any

// documents are the objects that kustomize has built.
func documents(t *testing.T, text []byte) (all []tree) {
	t.Helper()
	for _, doc := range bytes.Split(append([]byte("\n"), text...), []byte("\n---")) {
		var one tree
		if err := yaml.Unmarshal(doc, &one); err != nil {
			t.Fatal(err)
		}
		if one != nil {
			all = append(all, one)
		}
	}
	return all
}

// forPodman makes, of the one Deployment among objects, a pod of this name as
// podman 4.3 takes it, and returns what the manifest says of it besides. Names of
// volumes and ConfigMaps become the pod's own: podman makes volumes of both, which
// several pods would share.
func forPodman(t *testing.T, objects []tree, name string) (play []byte, said manifest) {
	t.Helper()
	var out bytes.Buffer
	write := func(o tree) {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "---\n%s\n", text)
	}
	own := func(named tree) { named["name"] = named["name"].(string) + "-" + name }
	// A Secret would reach the container as base64.
	objects = append(objects, tree{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": tree{"name": "wonted-identity"}, "data": tree{"key": strings.Repeat("k", 32)}})
	var spec tree
	for _, o := range objects {
		switch o["kind"] {
		case "ConfigMap":
			o = maps.Clone(o)
			o["metadata"] = maps.Clone(o["metadata"].(tree))
			own(o["metadata"].(tree))
			write(o)
		case "Deployment":
			spec = o["spec"].(tree)["template"].(tree)["spec"].(tree)
		}
	}
	text, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	spec = nil
	if err := yaml.Unmarshal(text, &spec); err != nil { // ours to change
		t.Fatal(err)
	}

	containers := append(spec["initContainers"].([]any), spec["containers"].([]any)...)
	delete(spec, "initContainers")
	spec["containers"] = containers
	for _, c := range containers {
		// Probes and the order are kubelet's, that is the test's. Ports are for those
		// who look from elsewhere.
		for _, key := range []string{"restartPolicy", "ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} {
			delete(c.(tree), key)
		}
		mounts, _ := c.(tree)["volumeMounts"].([]any)
		for _, m := range mounts {
			own(m.(tree))
		}
	}
	for _, v := range spec["volumes"].([]any) {
		v := v.(tree)
		own(v)
		if _, ok := v["secret"]; ok {
			delete(v, "secret")
			v["configMap"] = tree{"name": "wonted-identity"}
		}
		if config, ok := v["configMap"].(tree); ok {
			own(config)
			config["optional"] = false // podman reads it without looking whether it is there
		}
	}
	write(tree{"apiVersion": "v1", "kind": "Pod", "metadata": tree{"name": name}, "spec": spec})
	return out.Bytes(), said
}
