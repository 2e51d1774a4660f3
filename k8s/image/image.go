package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// repository is the image's name. Whose registry it is in is said where it is
// pushed to, and nowhere here.
const repository = "wonted-project/wonted"

// release is what an image is made of.
type release struct {
	version, revision string
	builds            []build
}

// build is the program for one platform.
type build struct {
	platform v1.Platform
	program  []byte
}

// index is the image of all platforms.
func (r release) index() (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range r.builds {
		image, err := r.image(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &b.platform},
		})
	}
	return mutate.Annotations(index, r.labels()).(v1.ImageIndex), nil
}

// image is that of one platform. The time at which it says that it was made is
// no time: that would be all that differs between two images of one source.
func (r release) image(b build) (v1.Image, error) {
	content, err := archive(files(b.program))
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, r.config(b, image))
}

// config is how the image is run.
func (r release) config(b build, image v1.Image) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		panic(err) // of an image that lives in memory
	}
	config = config.DeepCopy()
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	config.History = []v1.History{{Created: config.Created, CreatedBy: "wonted/k8s/image"}}
	config.OS, config.Architecture, config.Variant = b.platform.OS, b.platform.Architecture, b.platform.Variant
	config.Config = v1.Config{
		Entrypoint: []string{binary},
		Cmd:        []string{"serve"},
		WorkingDir: settings, // a wonted.yaml that is mounted there is found
		User:       fmt.Sprintf("%d:%d", user, user),
		// So that kubectl exec finds wonted by its name.
		Env:    []string{"PATH=/usr/local/bin"},
		Labels: r.labels(),
		// Envoy asks wonted to finish; a container engine has to ask the same way.
		StopSignal: "SIGTERM",
	}
	return config
}

// labels are those of the OCI image specification, as annotations too: some
// tools read one and some the other.
func (r release) labels() map[string]string {
	const label = "org.opencontainers.image."
	labels := map[string]string{
		label + "title":       "wonted",
		label + "description": "Behaviour profiles of API callers beside Envoy: scores every exchange, stops what is unusual",
		label + "source":      "https://github.com/wonted-project/wonted",
		label + "licenses":    "Apache-2.0",
		label + "version":     r.version,
	}
	if r.revision != "" {
		labels[label+"revision"] = r.revision
	}
	return labels
}
