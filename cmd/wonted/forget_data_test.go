package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Nothing in data_dir knows who was forgotten, whatever it was: no snapshot, old
// or set aside, no calibration, with its slots and campaigns, and no route.
func TestForgetReachesAllOfDataDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, keptKey), bytes.Repeat([]byte{7}, 32), 0o600); err != nil { // the same hashes every time
		t.Fatal(err)
	}
	s, _ := startIn(t, dir)
	key := func(kind profile.Kind, value string) profile.Key { return s.resolver.Load().Key(kind, []byte(value)) }
	alice, bob := key(profile.KindCaller, "alice"), key(profile.KindCaller, "bob")
	network, now := key(profile.KindNetwork, "192.0.2.0/24"), time.Now()
	live := func(who profile.Key, path string) {
		ex := &scoring.Exchange{Time: now, Method: []byte("GET"), Path: []byte(path), ResponseBytes: -1, Records: -1}
		ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: who}
		ex.Entities[profile.KindNetwork] = scoring.Identity{Kind: profile.KindNetwork, Key: network}
		s.scorer.Begin(ex)
		ex.Status = 200
		s.scorer.Complete(ex, scoring.Answered, now)
	}
	hash := func(k profile.Key) uint64 { return k.Hi ^ k.Lo }
	for i := range 4 {
		live(alice, "/v1/of/alice")
		live(bob, "/v1/of/bob")
		found := &calibrate.Surprises{}
		found.Run(i, 20)
		for _, who := range []uint64{hash(alice), hash(bob), uint64(i + 1)} {
			s.peers.Observe(&calibrate.Who{Key: who, Now: uint32(now.Unix()), Places: [3]uint64{network.Lo, 0, uint64(i)}},
				found, &calibrate.Outcome{Accepted: true, Alarm: true, Score: 5})
		}
		saved(t, s) // and so the snapshot before, and what the disk holds of a calibration
	}
	calibration := must(os.ReadFile(filepath.Join(dir, calibrationFile)))
	for _, name := range []string{calibrationFile + ".bad-torn", calibrationFile + ".tmp", routesFile + ".bad-foreign"} {
		if err := os.WriteFile(filepath.Join(dir, name), calibration, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := know(t, dir, alice); len(got) < 7 {
		t.Fatalf("these know alice: %v", got)
	}

	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodDelete, "/v1/profiles/"+hashOf(alice), nil)
	r.Host = "127.0.0.1:8181"
	(&web{sv: s}).admin().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := know(t, dir, alice); len(got) > 0 {
		t.Errorf("these still know alice: %v", got)
	}
	if got := know(t, dir, bob); len(got) < 4 { // the profile, the route, slot and campaign
		t.Errorf("these know bob: %v", got)
	}

	// What comes after a restart knows no more.
	again, _ := startIn(t, dir)
	if err := again.save(); err != nil {
		t.Fatal(err)
	}
	if got := know(t, dir, alice); len(got) > 0 {
		t.Errorf("after a restart these know alice: %v", got)
	}
}

// know are the places in dir, file and offset, that hold a key: either half of
// it, the 64 bits that calibration knows it by, or the 32 that a route does.
func know(t *testing.T, dir string, k profile.Key) (places []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content := must(os.ReadFile(path))
		for _, form := range [][]byte{
			binary.LittleEndian.AppendUint64(nil, k.Hi),
			binary.LittleEndian.AppendUint64(nil, k.Lo),
			binary.LittleEndian.AppendUint64(nil, k.Hi^k.Lo),
			binary.LittleEndian.AppendUint32(nil, uint32(k.Lo)),
		} {
			for at := 0; ; {
				i := bytes.Index(content[at:], form)
				if i < 0 {
					break
				}
				at += i + len(form)
				places = append(places, fmt.Sprintf("%s:%d", e.Name(), at))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}
