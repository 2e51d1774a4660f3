package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// packed writes an image of two small programs and returns its archive, and what
// was printed.
func packed(t *testing.T, version string) (archive []byte, digest string) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-version", version, "-revision", "c0ffee", "-o", filepath.Join(dir, "image.tar")}
	for _, platform := range []string{"amd64", "arm64"} {
		program := filepath.Join(dir, platform)
		if err := os.WriteFile(program, []byte("program of "+platform), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "linux/"+platform+"="+program)
	}
	var out strings.Builder
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(filepath.Join(dir, "image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	return archive, strings.TrimSpace(out.String())
}

// unpacked opens an archive as whoever loads it does.
func unpacked(t *testing.T, archive []byte) v1.ImageIndex {
	t.Helper()
	dir := t.TempDir()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := root.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(entries.Manifests) != 1 {
		t.Fatalf("%d images: engines load an archive of one", len(entries.Manifests))
	}
	if got := entries.Manifests[0].Annotations["org.opencontainers.image.ref.name"]; got != "wonted-project/wonted:1.2.3" {
		t.Errorf("loaded as %q", got)
	}
	index, err := root.ImageIndex(entries.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestTheSameBinariesMakeTheSameImage(t *testing.T) {
	first, digest := packed(t, "1.2.3")
	second, again := packed(t, "1.2.3")
	if digest != again || !bytes.Equal(first, second) {
		t.Errorf("%s, then %s; the archives are equal: %v", digest, again, bytes.Equal(first, second))
	}
	if got, err := unpacked(t, first).Digest(); err != nil || got.String() != digest {
		t.Errorf("printed %s, and the index is %s, %v", digest, got, err)
	}
	if _, other := packed(t, "1.2.4"); other == digest {
		t.Error("another version has the same digest")
	}
}

func TestImage(t *testing.T) {
	archive, _ := packed(t, "1.2.3")
	index := unpacked(t, archive)
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.OS+"/"+config.Architecture != m.Platform.String() {
			t.Errorf("the image of %s says that it is for %s/%s", m.Platform, config.OS, config.Architecture)
		}
		if config.Created.Unix() != 0 || config.History[0].Created.Unix() != 0 {
			t.Errorf("made at %v, history %v: a time makes two images of one source differ", config.Created, config.History)
		}
		c := config.Config
		if c.User != "65532:65532" || c.Entrypoint[0] != "/usr/local/bin/wonted" || c.Cmd[0] != "serve" {
			t.Errorf("runs %v %v as %s", c.Entrypoint, c.Cmd, c.User)
		}
		want := map[string]string{
			"org.opencontainers.image.version": "1.2.3", "org.opencontainers.image.revision": "c0ffee",
			"org.opencontainers.image.licenses": "Apache-2.0", "org.opencontainers.image.title": "wonted",
		}
		for name, value := range want {
			if c.Labels[name] != value || manifest.Annotations[name] != value {
				t.Errorf("label %s is %q, annotation %q, want %q", name, c.Labels[name], manifest.Annotations[name], value)
			}
		}
		holds(t, image, "program of "+config.Architecture)
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Error(diff)
	}
}

// holds checks every file of an image, by name, mode and owner.
func holds(t *testing.T, image v1.Image, program string) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var list []string
	files := map[string][]byte{}
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 0 {
			t.Errorf("%s is of %v", h.Name, h.ModTime)
		}
		list = append(list, h.FileInfo().Mode().String()+" "+map[int]string{0: "root", user: "wonted"}[h.Uid]+" "+h.Name)
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"drwxr-xr-x root etc/",
		"-rw-r--r-- root etc/group",
		"-rw-r--r-- root etc/passwd",
		"drwxr-xr-x root etc/ssl/",
		"drwxr-xr-x root etc/ssl/certs/",
		"-rw-r--r-- root etc/ssl/certs/ca-certificates.crt",
		"drwxr-xr-x root etc/wonted/",
		"drwxr-xr-x root run/",
		"drwxrwx--- wonted run/wonted/",
		"drwxr-xr-x root usr/",
		"drwxr-xr-x root usr/local/",
		"drwxr-xr-x root usr/local/bin/",
		"-rwxr-xr-x root usr/local/bin/wonted",
		"drwxr-xr-x root var/",
		"drwxr-xr-x root var/lib/",
		"drwx------ wonted var/lib/wonted/",
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	if got := string(files["usr/local/bin/wonted"]); got != program {
		t.Errorf("the program is %q, want %q", got, program)
	}
	known := 0
	for rest := files["etc/ssl/certs/ca-certificates.crt"]; ; known++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Error(err)
		}
	}
	if known < 50 {
		t.Errorf("%d authorities", known)
	}
}

func TestWrongArguments(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if err := run(args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	f("are needed")
	f("are needed", "-version", "1", "linux/amd64=x")
	f("are needed", "-version", "1", "-o", "x", "-parts", "x")
	f("is not OS/ARCH=BINARY", "-version", "1", "-o", "x", "wonted")
	f("no such file", "-version", "1", "-o", "x", "linux/amd64=/nowhere/wonted")
	f("no such file", "-version", "1", "-parts", "/nowhere/wonted")
	f("unrecognized file format", "-version", "1", "-parts", "image_test.go")
}

// The test's own binary is one that Go has linked, of this package's modules.
func TestParts(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(copied, program, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-version", "1.2.3", "-parts", copied}, io.Discard); err != nil {
		t.Fatal(err)
	}
	written, err := os.Open(copied + ".cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	var list cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(written, cyclonedx.BOMFileFormatJSON).Decode(&list); err != nil {
		t.Fatal(err)
	}
	found := map[string]cyclonedx.Component{}
	for _, c := range *list.Components {
		found[c.Name] = c
	}
	for _, name := range []string{"std", "github.com/google/go-containerregistry", "golang.org/x/crypto/x509roots/fallback"} {
		c, ok := found[name]
		if !ok || c.Version == "" || c.PackageURL != "pkg:golang/"+name+"@"+c.Version {
			t.Errorf("%s: %+v", name, c)
		}
		if name != "std" && (c.Hashes == nil || len((*c.Hashes)[0].Value) != 64) {
			t.Errorf("%s has no hash", name)
		}
	}
	if list.SerialNumber != "" || list.Metadata.Timestamp != "" {
		t.Errorf("serial number %q, time %q: two lists of one binary would differ", list.SerialNumber, list.Metadata.Timestamp)
	}
}
