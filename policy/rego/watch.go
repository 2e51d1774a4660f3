package rego

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/open-policy-agent/opa/v1/loader"
)

const (
	settle = 200 * time.Millisecond // editors write a file in several steps
	poll   = 10 * time.Second       // where events do not come: network file systems, a directory replaced
)

// Watch loads dir whenever its content changes and hands the result to onChange:
// the new engine, or why there is none, in which case the caller keeps what it
// has. It returns when ctx ends; run it in a goroutine of its own. onChange is
// never called twice at once. The first call is for what is there when Watch
// begins, so that a change between Load and Watch is not lost; the Revision
// says whether it is new. Compiling takes a core for as long as it takes: beside
// is handed that work and calls it, at once or when it suits.
//
// File events make it quick and a poll makes it sure. What has changed is
// decided by content, so that touching a file does nothing, and the symlink by
// which Kubernetes swaps a whole ConfigMap counts as what it leads to.
func Watch(ctx context.Context, dir string, beside func(work func()), onChange func(*Engine, error)) {
	watch(ctx, dir, settle, poll, beside, onChange)
}

func watch(ctx context.Context, dir string, settle, poll time.Duration, beside func(work func()), onChange func(*Engine, error)) {
	changes(ctx, dir, skip, settle, poll, func() {
		beside(func() {
			e, err := Load(dir)
			if err != nil {
				err = fmt.Errorf("%w; the old policy stays", err)
			}
			onChange(e, err)
		})
	})
}

// WatchTests calls run at once, and again whenever a policy or its tests have
// changed. It returns when ctx ends.
func WatchTests(ctx context.Context, dir string, run func()) {
	changes(ctx, dir, skipForeign, settle, poll, run)
}

// changes calls changed for what is there now, and whenever the content of dir
// is another.
func changes(ctx context.Context, dir string, leaveOut loader.Filter, settle, poll time.Duration, changed func()) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		w = &fsnotify.Watcher{} // nil channels are silent: the poll does it alone
	} else {
		defer w.Close()
		follow(w, dir)
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	quiet := time.NewTimer(0) // look at once
	defer quiet.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.Events:
			quiet.Reset(settle)
			continue
		case <-w.Errors: // an overflow: look now
		case <-tick.C:
		case <-quiet.C:
		}
		now := fingerprint(dir, leaveOut)
		if now == last {
			continue
		}
		last = now
		if w.Events != nil {
			follow(w, dir) // directories may be new
		}
		changed()
	}
}

// follow watches dir and every directory in it; those watched already stay so.
func follow(w *fsnotify.Watcher, dir string) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			w.Add(path) // where it fails, the poll remains
		}
		return nil
	})
}

// fingerprint hashes what would be read, or why it cannot be.
func fingerprint(dir string, leaveOut loader.Filter) string {
	h := sha256.New()
	paths, err := loader.FilteredPaths([]string{dir}, leaveOut)
	for _, path := range paths {
		var text []byte
		if text, err = os.ReadFile(path); err != nil {
			break
		}
		fmt.Fprintf(h, "%s\x00%d\x00%s", path, len(text), text)
	}
	if err != nil {
		fmt.Fprint(h, err)
	}
	return hex.EncodeToString(h.Sum(nil))
}
