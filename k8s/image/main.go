// Command image writes wonted's container image: nothing but the static binary,
// the root certificates of public authorities, and one user who is not root. It
// needs no daemon and no base image, and the same binaries make the same bytes:
//
//	image -version V -revision COMMIT -o FILE linux/amd64=BINARY linux/arm64=BINARY
//	image -version V -parts BINARY...
//
// FILE is an OCI layout as a tar archive, one index over all platforms, which
// podman load, skopeo and docker load take. The digest of the index is printed.
// The second form writes BINARY.cdx.json, what a binary is made of (SBOM).
//
// make image and make dist call it. Start reading at [files], which is what the
// image holds.
// It may import nothing of wonted: a program is bytes to it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	var r release
	set := flag.NewFlagSet("image", flag.ContinueOnError)
	set.StringVar(&r.version, "version", "", "version of the binaries, and the image's tag")
	set.StringVar(&r.revision, "revision", "", "commit that they were built from")
	file := set.String("o", "", "archive to write")
	lists := set.Bool("parts", false, "write what each BINARY is made of, and no image")
	if err := set.Parse(args); err != nil {
		return err
	}
	if r.version == "" || (*file == "") != *lists || set.NArg() == 0 {
		return errors.New("-version, -o and at least one OS/ARCH=BINARY are needed, or -version, -parts and a BINARY")
	}
	if *lists {
		for _, path := range set.Args() {
			if err := writeParts(path, r.version); err != nil {
				return err
			}
		}
		return nil
	}
	for _, arg := range set.Args() {
		name, path, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not OS/ARCH=BINARY", arg)
		}
		platform, err := v1.ParsePlatform(name)
		if err != nil {
			return fmt.Errorf("%q: %w", arg, err)
		}
		program, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r.builds = append(r.builds, build{*platform, program})
	}
	index, err := r.index()
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	if err := writeArchive(*file, index, repository+":"+r.version); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, digest)
	return err
}
