package profile

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// failing is a disk whose steps are asked for permission first. A write that
// is refused leaves half of what it was to write.
type failing struct {
	fail func(step string) error
}

func (d *failing) Mkdir(path string) error {
	return unless(d.fail("mkdir"), func() error { return osDisk{}.Mkdir(path) })
}

func (d *failing) Rename(from, to string) error {
	return unless(d.fail("rename"), func() error { return osDisk{}.Rename(from, to) })
}

func (d *failing) RemoveAll(path string) error {
	return unless(d.fail("remove"), func() error { return osDisk{}.RemoveAll(path) })
}

func (d *failing) SyncDir(path string) error {
	return unless(d.fail("sync dir"), func() error { return osDisk{}.SyncDir(path) })
}

func (d *failing) Create(path string) (file, error) {
	if err := d.fail("create"); err != nil {
		return nil, err
	}
	f, err := osDisk{}.Create(path)
	if err != nil {
		return nil, err
	}
	return &failingFile{f, d}, nil
}

type failingFile struct {
	file
	disk *failing
}

func (f *failingFile) Write(b []byte) (int, error) {
	if err := f.disk.fail("write"); err != nil {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, err
	}
	return f.file.Write(b)
}

func (f *failingFile) Sync() error { return unless(f.disk.fail("sync"), f.file.Sync) }

// unless does it unless there is an error already.
func unless(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}

var errCrash = errors.New("the power is gone")

// At whichever step a save breaks off, a restart finds the old store whole or
// the new one whole, sets nothing aside, and the next save works and cleans up.
func TestCrashAtEveryStep(t *testing.T) {
	old, next := filled(t, 300), filled(t, 700)
	sawOld, sawNew := false, false
	for crashAt := 0; ; crashAt++ {
		dir := t.TempDir()
		mustSave(t, old, dir)
		mustSave(t, old, dir)
		step := 0
		err := next.save(&failing{func(string) error {
			if step++; step > crashAt {
				return errCrash
			}
			return nil
		}}, dir, testMeta)
		if err == nil {
			if crashAt < 15 || !sawOld || !sawNew {
				t.Fatalf("%d steps, saw the old %v, the new %v", crashAt, sawOld, sawNew)
			}
			t.Logf("%d steps", crashAt)
			return
		}
		s, report := mustLoad(t, dir)
		n, err := holds(s)
		if err != nil || n != 300 && n != 700 || len(report.Aside) > 0 {
			t.Fatalf("crash at step %d: %d records, %v; %s", crashAt, n, err, report)
		}
		sawOld, sawNew = sawOld || n == 300, sawNew || n == 700
		mustSave(t, next, dir)
		s, _ = mustLoad(t, dir)
		if n, err := holds(s); err != nil || n != 700 {
			t.Fatalf("after a crash at step %d, saved again: %d records, %v", crashAt, n, err)
		}
		if names := list(t, dir); strings.Contains(names, ".tmp") || strings.Count(names, snapshotName) != keep {
			t.Fatalf("after a crash at step %d, saved again: %s", crashAt, names)
		}
	}
}

// One step fails and the process lives on (disk full): an error that says so,
// the previous snapshot current, nothing left behind.
func TestFailureAtEveryStep(t *testing.T) {
	old, next := filled(t, 300), filled(t, 700)
	for failAt := 0; ; failAt++ {
		dir := t.TempDir()
		mustSave(t, old, dir)
		before := list(t, dir)
		step, failed := 0, ""
		err := next.save(&failing{func(what string) error {
			if step++; step == failAt+1 {
				failed = what
				return syscall.ENOSPC
			}
			return nil
		}}, dir, testMeta)
		if failed == "" {
			if err != nil || failAt < 15 {
				t.Fatalf("%d steps, %v", failAt, err)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%s failed at step %d: error %v", failed, failAt, err)
		}
		s, _ := mustLoad(t, dir)
		n, herr := holds(s)
		switch committed := readCurrent(dir) == "snapshot-00000002"; {
		case herr != nil, committed != (n == 700):
			t.Fatalf("%s failed at step %d: %d records, %v", failed, failAt, n, herr)
		case !committed && (!strings.Contains(err.Error(), "previous snapshot") || list(t, dir) != before):
			t.Fatalf("%s failed at step %d: %v; left %s", failed, failAt, err, list(t, dir))
		}
	}
}
