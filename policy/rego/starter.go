package rego

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// starter is a policy's directory to begin with.
//
//go:embed starter
var starter embed.FS

// Init writes the starter into dir, which is made if it is not there. What is
// the author's, policy, data, tests and README, is never overwritten; schema/
// and wonted/ are this version's own, and are renewed. It tells which files were
// written and which were kept, by their paths below dir.
func Init(dir string) (written, kept []string, err error) {
	err = fs.WalkDir(starter, "starter", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := starter.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "starter/")
		done, err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), text, ours(name))
		switch {
		case err != nil:
			return err
		case done:
			written = append(written, name)
		default:
			kept = append(kept, name)
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("policy directory: %w", err)
	}
	return written, kept, err
}

// ours says which files belong to wonted, by their directory.
func ours(name string) bool {
	top, _, below := strings.Cut(path.Clean(name), "/")
	return below && (top == "schema" || top == "wonted")
}

// writeFile writes a file; one that is there only where replace says so.
func writeFile(name string, text []byte, replace bool) (done bool, err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return false, err
	}
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if replace {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, how, 0o644)
	if errors.Is(err, fs.ErrExist) && !replace {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(text)
	return true, errors.Join(err, f.Close())
}
