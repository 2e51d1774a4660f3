package profile

import (
	"io"
	"os"
)

// disk is what saving does to a file system, so that a test can let any step
// fail, or be the last before the power goes.
type disk interface {
	Mkdir(path string) error
	Create(path string) (file, error)
	Rename(from, to string) error // replaces to
	RemoveAll(path string) error
	SyncDir(path string) error // makes the names in it durable
}

type file interface {
	io.WriteCloser
	Sync() error
}

// osDisk is the real one. Profiles tell who comes when: nobody else reads them.
type osDisk struct{}

func (osDisk) Mkdir(path string) error      { return os.Mkdir(path, 0o700) }
func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }
func (osDisk) RemoveAll(path string) error  { return os.RemoveAll(path) }
func (osDisk) Create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err // not a nil *os.File inside a file
	}
	return f, nil
}

func (osDisk) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
