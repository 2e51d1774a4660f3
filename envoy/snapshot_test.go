package envoy_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring/profile"
)

// A snapshot of a million profiles is a gigabyte that is copied out and written
// beside the traffic.
func TestNoRequestFailsWhileSnapshotsAreMade(t *testing.T) {
	records, memory, every := 20_000, 64<<20, "200ms"
	if changing(t) > 0 {
		records, memory, every = 1_000_000, 1200<<20, "4s"
	}
	s := set(t, envoytest.Settings{Fail: "closed", Policy: permissive, More: acquainted(t, records, profile.Bytes(memory)) +
		"snapshot_every: " + every + "\ndecision_deadline: 10s\n"})
	s.during(fmt.Sprintf("snapshot of %d profiles, fail closed", records), 3, func(*envoytest.Traffic, int) { s.snapshot() })
	if known := s.metric("wonted_profiles") + s.metric("wonted_profiles_below"); int(known) < records {
		t.Errorf("%v profiles are known of %d", known, records)
	}
	if n := s.metric("wonted_snapshot_failures_total"); n != 0 {
		t.Errorf("%v snapshots have failed", n)
	}
	s.undisturbed()
}

// acquainted are settings of a wonted that has known so many established
// callers since before it starts.
func acquainted(t testing.TB, callers int, memory profile.Bytes) string {
	t.Helper()
	return remembering(t, memory, func(store *profile.Store, who *identity.Resolver, now time.Time) {
		for i := range callers {
			name := binary.BigEndian.AppendUint32(nil, uint32(i))
			record, pin, _ := store.Acquire(who.Key(profile.KindCaller, name), profile.KindCaller, uint32(now.Unix()))
			record.Requests, record.Accepted = 100, 100
			pin.Release()
		}
		if st := store.Stats(); st.Total+st.Below != callers {
			t.Fatalf("%d of %d profiles fit into %v", st.Total+st.Below, callers, memory)
		}
	})
}

// remembering are settings of a wonted that takes up what fill has put into the
// store.
func remembering(t testing.TB, memory profile.Bytes, fill func(*profile.Store, *identity.Resolver, time.Time)) string {
	t.Helper()
	dir := t.TempDir()
	keyFile, data := filepath.Join(dir, "key"), filepath.Join(dir, "data")
	key := identity.NewSecret()
	if err := os.WriteFile(keyFile, key[:], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	who, err := identity.New(identity.Default(), key, 0)
	if err != nil {
		t.Fatal(err)
	}
	store, now := profile.New(profile.Config{Memory: memory}), time.Now()
	defer store.Close()
	fill(store, who, now)
	if err := store.Save(data, profile.Meta{KeyID: key.ID(), Now: now}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("identity_key: %s\ndata_dir: %s\nprofile: {memory: %v}\n", keyFile, data, memory)
}
