//go:build pod

package pod

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestSameImage makes the image once more, from a copy of the source elsewhere:
// it is the same to the last byte.
func TestSameImage(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	copied := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue // removed, and not committed yet
		}
		to := filepath.Join(copied, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again := exec.Command("make", "image", "VERSION="+os.Getenv("VERSION"), "REVISION="+os.Getenv("REVISION"))
	again.Dir = copied
	digest, err := again.Output()
	if err != nil {
		t.Fatalf("make image: %v", err)
	}
	first, err := os.ReadFile(os.Getenv("IMAGE"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(filepath.Join(copied, "dist", "wonted.oci.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("made of the same source elsewhere, the image is another, %s", digest)
	}
	if !bytes.Contains(first, bytes.TrimPrefix(bytes.TrimSpace(digest), []byte("sha256:"))) {
		t.Errorf("%s was printed, and is not in the archive", digest)
	}
}

func TestImageIsSmall(t *testing.T) {
	const most = 60 << 20
	size, err := strconv.Atoi(podman(t, "image", "inspect", "--format", "{{.Size}}", "wonted-project/wonted:latest"))
	if err != nil || size > most {
		t.Errorf("the image has %d bytes, want %d at most (%v)", size, most, err)
	}
	t.Logf("%d bytes", size)
}
