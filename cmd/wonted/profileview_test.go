package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

func TestProfilesAreFoundByHashNameAndValue(t *testing.T) {
	store := profile.New(profile.Config{Memory: profile.MinMemory})
	defer store.Close()
	resolver, err := identity.New(identity.Default(), identity.NewSecret(), 0)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	key := resolver.Key(profile.KindCaller, []byte("k-123"))
	rec, pin, _ := store.Acquire(key, profile.KindCaller, uint32(now.Add(-time.Hour).Unix()))
	copy(rec.Name[:], "warehouse sync")
	rec.Requests = 7
	rec.Baseline.Records10m.Add(3.459431618637297, 1) // log2(1+10)
	rec.Baseline.Requests1m.Add(1.5, 1)
	rec.Baseline.Requests1m.Add(3.5, 1)
	rec.Rings.Precedents[0] = uint16(window.Encode(12)) // requests in a minute
	rec.Rings.Precedents[5] = uint16(window.Encode(2000))
	rec.Rings.Precedents[6] = uint16(window.Encode(31))
	rec.Habits().Hours.Add(9, false, 1)
	rec.Habits().Hours.Add(9, false, 1)
	rec.Habits().Hours.Add(10, false, 1)
	network := resolver.Key(profile.KindNetwork, []byte("192.0.2.0/24"))
	window.Slots(rec.Habits().Networks[:]).Touch(uint32(network.Lo), 3)
	window.Slots(rec.Habits().Networks[:]).Touch(12345, 1)
	window.SmallSlots(rec.Habits().Endpoints[:]).Touch(77, 1)
	pin.Release()
	rec, pin, _ = store.Acquire(network, profile.KindNetwork, uint32(now.Unix()))
	copy(rec.Name[:], "192.0.2.0/24")
	pin.Release()
	rec, pin, _ = store.Acquire(profile.Key{Hi: 1, Lo: 77}, profile.KindRoute, uint32(now.Unix()))
	rec.Name = profile.NameOf("GET /v1/orders/{id}/items")
	pin.Release()

	var id string
	f := func(who string, want int) {
		t.Helper()
		found := findProfiles(store, resolver, who, now)
		if len(found) != want {
			t.Fatalf("%q: %d found, want %d", who, len(found), want)
		}
		if want == 0 {
			return
		}
		id = found[0].ID
		if found[0].Name != "warehouse sync" || found[0].Requests != 7 || found[0].AgeS != 3600 {
			t.Errorf("%q: got %+v", who, found[0])
		}
	}
	f("k-123", 1)
	f(id, 1)
	f("warehouse sync", 1)
	f("warehouse", 0)
	f("", 0)
	f("ffffffffffffffffffffffffffffffff", 0)

	v := findProfiles(store, resolver, id, now)[0]
	want := []usual{{"requests", "1m", 2.5, 0.5, 4.5, 12, 2}, {"records", "10m", 10, 10, 10, 0, 1}}
	if d := cmp.Diff(want, v.Usual, cmp.Comparer(func(a, b float64) bool { return a-b < 1e-5 && b-a < 1e-5 })); d != "" {
		t.Error(d)
	}
	var text bytes.Buffer
	if err := v.write(&text); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"caller      warehouse sync", "usual       2.5 requests in 1m, mostly 0.5 to 4.5, once 12 (learned from 2)",
		"usual       10 records in 10m, mostly 10 to 10 (learned from 1)", "a response  at most 31 records, 2000 bytes",
		"devices     none remembered", "networks    192.0.2.0/24 75 %, one whose profile is gone 25 %",
		"routes      GET /v1/orders/{id}/i… 100 %", "·········█▄"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("no %q in\n%s", line, text.String())
		}
	}
}

func TestProfileJSONIsAContract(t *testing.T) {
	text, err := json.Marshal(profileView{Usual: []usual{{}}, Habits: &habitsView{DeviceShares: []share{{}}}})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	f := func(got any, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(got.(map[string]any)))); d != "" {
			t.Error(d)
		}
	}
	f(m, "accepted", "age_s", "challenger", "cohort", "confidence", "created", "habits", "id", "in_flight", "kind", "largest_response", "last_seen", "level", "name", "requests", "sessions", "usual")
	f(m["usual"].([]any)[0], "high", "low", "mean", "most", "quantity", "window", "windows")
	f(m["largest_response"], "bytes", "records")
	f(m["habits"], "device_shares", "devices", "network_shares", "networks", "objects", "route_shares", "weekday", "weekend")
	f(m["habits"].(map[string]any)["device_shares"].([]any)[0], "name", "share")
}
