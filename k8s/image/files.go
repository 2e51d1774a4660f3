package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// Where things are in the image. Manifests mount volumes over the last three.
const (
	binary   = "/usr/local/bin/wonted"
	settings = "/etc/wonted"     // wonted.yaml, policy, identity
	sockets  = "/run/wonted"     // extproc.sock, which Envoy mounts too
	data     = "/var/lib/wonted" // what is learned
)

// user is who runs in the image, and the group: no account of any system has
// this number.
const user = 65532

// file is a file of the image, or a directory where content is nil.
type file struct {
	path    string
	mode    int64
	owner   int
	content []byte
}

// files are all that the image holds. The two directories that wonted writes to
// are its own: what an engine mounts there takes over the owner.
func files(program []byte) []file {
	return []file{
		{"/etc/group", 0o644, 0, fmt.Appendf(nil, "root:x:0:\nwonted:x:%d:\n", user)},
		{"/etc/passwd", 0o644, 0, fmt.Appendf(nil, "root:x:0:0:root:/nonexistent:/nonexistent\nwonted:x:%d:%d:wonted:%s:/nonexistent\n", user, user, data)},
		{"/etc/ssl/certs/ca-certificates.crt", 0o644, 0, authorities()},
		{settings, 0o755, 0, nil},
		{sockets, 0o770, user, nil},
		{binary, 0o755, 0, program},
		{data, 0o700, user, nil},
	}
}

// authorities are the certificates by which a bundle's server is known, those of
// Mozilla. One that is trusted with conditions is left out: a file of
// certificates cannot say them.
func authorities() []byte {
	var roots [][]byte
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			roots = append(roots, root.Certificate)
		}
	}
	slices.SortFunc(roots, bytes.Compare)
	var out bytes.Buffer
	for _, certificate := range roots {
		pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	}
	return out.Bytes()
}

// archive is the layer: files and the directories above them, in order, all of
// the same time.
func archive(files []file) ([]byte, error) {
	files = slices.Clone(files)
	for _, f := range files {
		for dir := path.Dir(f.path); dir != "/"; dir = path.Dir(dir) {
			if !slices.ContainsFunc(files, func(f file) bool { return f.path == dir }) {
				files = append(files, file{dir, 0o755, 0, nil})
			}
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.path[1:], Mode: f.mode, Size: int64(len(f.content)),
			Uid: f.owner, Gid: f.owner, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
		}
		if f.content == nil {
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}
