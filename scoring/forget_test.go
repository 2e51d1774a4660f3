package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Who is forgotten has signed in from nowhere, and has taught no route last; all
// others are known as before.
func TestForget(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.now = w.now.Add(time.Minute)
		for _, user := range []string{"alice", "bob"} {
			for _, place := range []string{"home", "office"} {
				ex := w.begin(call{method: "POST", path: "/v1/login", user: user, network: place, address: place + " 7"})
				w.finish(ex, call{})
			}
			w.do(call{caller: user, path: "/v1/of/" + user, bytes: 100})
			w.do(call{caller: user, path: fmt.Sprint("/v1/orders/", 1000*len(user)+i), bytes: 100})
		}
	}
	key := func(user string) profile.Key { return keyOf(profile.KindUser, user) }
	signedIn := func(user, place string) bool {
		pair := pairOf(key(user), profile.Key{})
		if place != "" {
			pair = pairOf(key(user), keyOf(profile.KindNetwork, place))
		}
		_, ok := w.scorer.pairs.since(pair, seconds(w.now))
		return ok
	}
	f := func(user, place string, want bool) {
		t.Helper()
		if got := signedIn(user, place); got != want {
			t.Errorf("%s has signed in from %q: %v", user, place, got)
		}
	}
	taught := func(path string) uint32 {
		rec, pin, ok := w.store.Find(routeKey(w.routes.Match([]byte("GET"), []byte(path)).ID))
		if !ok {
			t.Fatalf("%s has no record", path)
		}
		defer pin.Release()
		return rec.Population().Last
	}
	f("alice", "", true)
	f("alice", "home", true)
	f("bob", "office", true)

	if !w.scorer.Forget(key("alice")) || w.scorer.Forget(key("alice")) {
		t.Error("not forgotten, or twice")
	}
	f("alice", "", false)
	f("alice", "home", false)
	f("alice", "office", false)
	f("bob", "", true)
	f("bob", "home", true)

	// A place takes with it who has signed in from there.
	w.scorer.Forget(keyOf(profile.KindNetwork, "office"))
	f("bob", "office", false)
	f("bob", "home", true)

	alice := keyOf(profile.KindCaller, "alice")
	if taught("/v1/of/alice") != shortKey(alice) || taught("/v1/of/bob") == 0 {
		t.Fatal("nobody has taught the routes")
	}
	w.scorer.Forget(alice)
	if taught("/v1/of/alice") != 0 || taught("/v1/of/bob") == 0 {
		t.Error("a route knows alice, or not bob")
	}

	// What is left of its ownership is one of 255 and names nobody: bob's objects
	// are bob's, and alice's are not nobody's.
	object := func(user string) uint64 {
		return w.routes.Match([]byte("GET"), []byte(fmt.Sprint("/v1/orders/", 1000*len(user)+7))).Object
	}
	if got := w.store.Owners().Look(object("bob"), shortKey(keyOf(profile.KindCaller, "bob"))); got != profile.Oneself {
		t.Errorf("bob's own object is %d's", got)
	}
	if got := w.store.Owners().Look(object("alice"), shortKey(keyOf(profile.KindCaller, "bob"))); got != profile.Others {
		t.Errorf("alice's object is %d's to bob", got)
	}
}
