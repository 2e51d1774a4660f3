// Package openapi reads the operations of an OpenAPI 3 description, for the
// table of routes: it alone imports the parser, and hands on methods and paths.
// Start at Load.
package openapi

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/wonted-project/wonted/scoring/route"
)

// maxFile bounds a description, in bytes. The largest public ones have ten MiB.
const maxFile = 64 << 20

// Load returns what the file describes, sorted by path and method; each path
// under the base path of every server that it is at. References to other files
// are followed, to addresses they are not. An error names the file.
func Load(file string) ([]route.Described, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = readFile
	doc, err := loader.LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.") {
		return nil, fmt.Errorf("%s: no OpenAPI 3 description: openapi is %q", file, doc.OpenAPI)
	}
	var all []route.Described
	for path, item := range sorted(doc.Paths.Map()) {
		if item == nil {
			continue
		}
		for method, op := range sorted(item.Operations()) {
			servers := doc.Servers
			if len(item.Servers) > 0 {
				servers = item.Servers
			}
			if op != nil && op.Servers != nil && len(*op.Servers) > 0 {
				servers = *op.Servers
			}
			bases, err := basePaths(servers)
			if err != nil {
				return nil, fmt.Errorf("%s: %s %s: %w", file, method, path, err)
			}
			for _, base := range bases {
				all = append(all, route.Described{Method: method, Path: base + path})
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: it describes no operation", file)
	}
	return all, nil
}

// readFile follows references within the file system.
func readFile(_ *openapi3.Loader, at *url.URL) ([]byte, error) {
	if at.Scheme != "" && at.Scheme != "file" || at.Host != "" {
		return nil, fmt.Errorf("%s: only files are read", at)
	}
	info, err := os.Stat(at.Path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("is a directory")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s has %d bytes, at most %d are read", at.Path, info.Size(), maxFile)
	}
	return os.ReadFile(at.Path)
}

// basePaths are those of the servers, each once; "" where there is none.
func basePaths(servers openapi3.Servers) ([]string, error) {
	if len(servers) == 0 {
		return []string{""}, nil
	}
	var all []string
	for _, s := range servers {
		base, err := s.BasePath()
		if err != nil {
			return nil, fmt.Errorf("server %s: %w", s.URL, err)
		}
		if base = strings.TrimRight(base, "/"); !slices.Contains(all, base) {
			all = append(all, base)
		}
	}
	return all, nil
}

func sorted[V any](m map[string]V) func(func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
