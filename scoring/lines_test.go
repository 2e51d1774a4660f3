package scoring

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// What a request has to fetch of a record is counted in lines of 64 bytes. A
// line is used if what is written there, or what stands there, matters: it
// differs after an exchange, or the exchange comes out otherwise (in its
// assessment, in what it carries on, or in another line) when something else
// stands in it. A read that changes nothing whatever is read goes unseen.
const lineSize = 64

// linesUsed are the lines of the record of one entity that the usual exchange
// of a settled caller uses, ten seconds after the one before.
func linesUsed(t *testing.T, kind profile.Kind) (used []int) {
	w := newWorld(t)
	c := full(1)
	now := monday
	ex := &Exchange{}
	for i := range 4000 { // mature, with a past of everything
		now = now.Add(11 * time.Minute)
		c.path = "/v1/orders/" + string(rune('1'+i%3)) + "17"
		c.fill(ex, now)
		w.round(ex, now)
	}
	c.path = "/v1/orders/117"
	if !ex.Assessment.Mature {
		t.Fatal("not mature")
	}
	key := routeKey(ex.Route.ID)
	if kind != profile.KindRoute {
		key = ex.Entities[kind].Key
	}
	now = now.Add(10 * time.Second)
	settled := snapshot(w)
	play := func(poison func([]byte)) (after []byte, came any) {
		restore(t, w, settled)
		if poison != nil {
			edit(t, w, key, poison)
		}
		ex := &Exchange{}
		c.fill(ex, now)
		w.round(ex, now)
		a := ex.Assessment
		a.Evidence = slices.Clone(a.Evidence)
		return bytesOf(t, w, key), a
	}
	before := settled[key]
	plain, came := play(nil)
	for line := range profile.RecordSize / lineSize {
		at := line * lineSize
		if !bytes.Equal(before[at:at+lineSize], plain[at:at+lineSize]) {
			used = append(used, line)
			continue
		}
		for _, poison := range poisons {
			after, otherwise := play(func(b []byte) { poison(line, b[at:at+lineSize]) })
			rest := append(slices.Clone(after[:at]), after[at+lineSize:]...)
			usual := append(slices.Clone(plain[:at]), plain[at+lineSize:]...)
			if !bytes.Equal(rest, usual) || !reflect.DeepEqual(came, otherwise) {
				used = append(used, line)
				break
			}
		}
	}
	return used
}

// poisons put something else in a line, but for what says which record it is.
var poisons = []func(line int, b []byte){
	func(line int, b []byte) { // zeros
		if line > 0 {
			clear(b)
		}
	},
	func(line int, b []byte) { // small counts
		for i := 0; i < len(b); i += 2 {
			if line > 0 || i >= 32 && i < 60 {
				binary.LittleEndian.PutUint16(b[i:], 700)
			}
		}
	},
	func(line int, b []byte) { // numbers
		for i := 0; i < len(b); i += 4 {
			if line > 0 {
				binary.LittleEndian.PutUint32(b[i:], 0x41200000) // 10
			}
		}
	},
}

func snapshot(w *world) map[profile.Key][]byte {
	all := map[profile.Key][]byte{}
	w.store.Range(func(r *profile.Record) bool {
		all[r.Key] = profile.Encode(nil, r)
		return true
	})
	return all
}

func restore(t *testing.T, w *world, to map[profile.Key][]byte) {
	for key, b := range to {
		put(t, w, key, b)
	}
}

// edit changes a record as it lies in memory.
func edit(t *testing.T, w *world, key profile.Key, change func([]byte)) {
	b := bytesOf(t, w, key)
	change(b)
	put(t, w, key, b)
}

func bytesOf(t *testing.T, w *world, key profile.Key) []byte {
	rec, pin, ok := w.store.Find(key)
	if !ok {
		t.Fatalf("no record %v", key)
	}
	defer pin.Release()
	return profile.Encode(nil, rec)
}

func put(t *testing.T, w *world, key profile.Key, b []byte) {
	var decoded profile.Record
	if err := profile.Decode(b, &decoded); err != nil {
		t.Fatal(err)
	}
	rec, pin, ok := w.store.Find(key)
	if !ok {
		t.Fatalf("no record %v", key)
	}
	defer pin.Release()
	decoded.Generation = rec.Generation
	*rec = decoded
}

func TestLinesUsed(t *testing.T) {
	for kind, most := range map[profile.Kind]int{
		profile.KindCaller: 16, profile.KindCredential: 16, profile.KindSession: 16, // seventeen detectors' worth: all of it
		profile.KindAddress: 4, profile.KindNetwork: 4, profile.KindDevice: 4, profile.KindRoute: 4,
	} {
		if used := linesUsed(t, kind); len(used) > most || len(used) < 2 {
			t.Errorf("%v: lines %d, want at most %d", kind, used, most)
		} else {
			t.Logf("%v: lines %d", kind, used)
		}
	}
}
