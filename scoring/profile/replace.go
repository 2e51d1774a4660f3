package profile

import (
	"errors"
	"fmt"
	"path/filepath"
)

// ReplaceFile gives a file another content, durably, or leaves it as it was: at
// every moment, whatever breaks off, there is the old one or the new one. It is
// for whoever keeps a file of its own in data_dir; one at a time.
func ReplaceFile(path string, content []byte) error { return replaceFile(osDisk{}, path, content) }

func replaceFile(d disk, path string, content []byte) error {
	switch swapped, err := swapFile(d, path, content); {
	case err == nil:
		return nil
	case swapped:
		return fmt.Errorf("save %s: %w; the new one may not survive a power cut", path, err)
	default:
		return fmt.Errorf("save %s: %w; the one before, if any, stays", path, err)
	}
}

// swapFile writes the content beside the file as PATH.tmp, syncs and renames it,
// and says whether it got so far; then it makes the name durable.
func swapFile(d disk, path string, content []byte) (swapped bool, err error) {
	tmp := path + ".tmp"
	err = writeFile(d, tmp, func(f file) error {
		_, err := f.Write(content)
		return err
	})
	if err == nil {
		err = d.Rename(tmp, path)
	}
	if err != nil {
		return false, errors.Join(err, d.RemoveAll(tmp)) // on a full disk it is in the way
	}
	return true, d.SyncDir(filepath.Dir(path))
}

// SetAside renames a file or directory in data_dir that cannot be used, to be
// looked at or deleted by hand: PATH.bad-REASON, in place of what has that name.
func SetAside(path, reason string) (renamed string, err error) {
	return setAside(osDisk{}, path, reason)
}

func setAside(d disk, path, reason string) (renamed string, err error) {
	to := path + ".bad-" + reason
	// The number of a snapshot is never used again while what was set aside is
	// there, but hands may have been at work.
	if err := d.RemoveAll(to); err != nil {
		return "", err
	}
	if err := d.Rename(path, to); err != nil {
		return "", err
	}
	return filepath.Base(to), d.SyncDir(filepath.Dir(path))
}
