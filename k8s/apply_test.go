//go:build kube

package k8s

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// object is one document of a manifest.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`

	text []byte
}

func (o object) String() string { return o.Kind + "/" + o.Metadata.Name }

// split parts a stream of documents; empty ones are left out.
func split(text []byte) (all []object, err error) {
	for _, doc := range bytes.Split(append([]byte("\n"), text...), []byte("\n---")) {
		o := object{text: doc}
		if err := yaml.Unmarshal(doc, &o); err != nil {
			return nil, err
		}
		if o.Kind != "" {
			all = append(all, o)
		}
	}
	return all, nil
}

// kind is where the server has objects of a kind.
type kind struct {
	Name       string `json:"name"` // in paths
	Kind       string `json:"kind"`
	Namespaced bool   `json:"namespaced"`
}

// path is where the server has o, in namespace where it belongs to one.
func (c *cluster) path(o object, namespace string) (string, error) {
	prefix := "/apis/" + o.APIVersion
	if !strings.Contains(o.APIVersion, "/") {
		prefix = "/api/" + o.APIVersion
	}
	k, known := c.kinds[o.APIVersion+" "+o.Kind]
	if !known {
		answer, err := c.call(http.MethodGet, prefix, "", nil)
		if err != nil {
			return "", fmt.Errorf("%s: %w", o, err)
		}
		var list struct{ Resources []kind }
		if err := json.Unmarshal(answer, &list); err != nil {
			return "", err
		}
		for _, r := range list.Resources {
			if !strings.Contains(r.Name, "/") { // no pods/log
				c.kinds[o.APIVersion+" "+r.Kind] = r
			}
		}
		if k, known = c.kinds[o.APIVersion+" "+o.Kind]; !known {
			return "", fmt.Errorf("%s: the server has no such kind in %s", o, o.APIVersion)
		}
	}
	if o.Metadata.Namespace != "" {
		namespace = o.Metadata.Namespace
	}
	if k.Namespaced {
		prefix += "/namespaces/" + namespace
	}
	return prefix + "/" + k.Name + "/" + o.Metadata.Name, nil
}

// apply is kubectl apply --server-side: an error says which field is wrong.
func (c *cluster) apply(o object, namespace string, dry bool) error {
	path, err := c.path(o, namespace)
	if err != nil {
		return err
	}
	query := url.Values{"fieldManager": {"wonted"}, "fieldValidation": {"Strict"}}
	if dry {
		query.Set("dryRun", "All")
	}
	if _, err := c.call(http.MethodPatch, path+"?"+query.Encode(), "application/apply-patch+yaml", o.text); err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	return nil
}

// define makes the custom resources of a directory, and waits until the server
// has them.
func (c *cluster) define(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no custom resources in %s: %w", dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all, err := split(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, o := range all {
			if err := c.apply(o, "", false); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if err := wait(func() error { return c.established(o) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// established says whether the server has begun to serve a custom resource.
func (c *cluster) established(definition object) error {
	path, err := c.path(definition, "")
	if err != nil {
		return err
	}
	answer, err := c.call(http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	var crd struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if err := json.Unmarshal(answer, &crd); err != nil {
		return err
	}
	for _, s := range crd.Status.Conditions {
		if s.Type == "Established" && s.Status == "True" {
			return nil
		}
	}
	return fmt.Errorf("%s is not served yet", definition)
}

// call makes one request; whatever is no success is an error with the server's
// own words.
func (c *cluster) call(method, path, contentType string, body []byte) ([]byte, error) {
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("authorization", "Bearer "+c.token)
	req.Header.Set("accept", "application/json")
	if contentType != "" {
		req.Header.Set("content-type", contentType)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		var status struct{ Message string }
		if json.Unmarshal(answer, &status) != nil || status.Message == "" {
			status.Message = string(answer)
		}
		return nil, fmt.Errorf("%s: %s", resp.Status, status.Message)
	}
	return answer, nil
}
