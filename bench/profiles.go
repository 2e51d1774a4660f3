package bench

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// profiles are what the wonteds of a scene know before the first request. They
// all get the same.
type profiles struct {
	load      Identities
	key, data string
}

// prefill makes profiles, once for all variants.
func prefill(ctx context.Context, plan *Plan, dir string, load Identities) (*profiles, error) {
	p := &profiles{load: load, key: filepath.Join(dir, "key"), data: filepath.Join(dir, "data")}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		return nil, err
	}
	if err := plan.Prefill(ctx, p.data, p.key, load); err != nil {
		return nil, fmt.Errorf("fill the profiles of %d callers: %w", load.Count, err)
	}
	return p, nil
}

// lend gives a wonted a data_dir of its own with the profiles in it. Files are
// linked, not copied: wonted never writes into a snapshot that is there.
func (p *profiles) lend(to string) error {
	return filepath.WalkDir(p.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(p.data, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Mkdir(filepath.Join(to, inside), 0o700)
		}
		return os.Link(path, filepath.Join(to, inside))
	})
}

// ProfileMemory is the profile.memory, in bytes, that holds all callers of a load with room for
// strangers: a caller has a profile of its own, one of its session and a share
// of those of addresses, networks and devices, and a profile takes about
// 1.5 KiB with what belongs to it. It is never less than wonted's default.
func ProfileMemory(load Identities) int64 {
	return max(128<<20, int64(load.Count)*4<<10)
}

// never is longer than any run.
const never = 24 * time.Hour

// snapshots is how often wonted saves: not by itself, but where that is what is
// measured.
func (s *scene) snapshots() time.Duration {
	if s.saving > 0 {
		return s.saving
	}
	return never
}
