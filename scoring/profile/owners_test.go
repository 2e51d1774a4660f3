package profile

import (
	"math/rand/v2"
	"sync"
	"testing"
)

func TestOwners(t *testing.T) {
	o := newOwners(8 << 20)
	f := func(object uint64, who uint32, want Touched) {
		t.Helper()
		if got := o.Look(object, who); got != want {
			t.Errorf("object %d by %d: %d, want %d", object, who, got, want)
		}
	}
	f(17, 1, Nobody)
	o.Touch(17, 1)
	o.Touch(17, 1)
	f(17, 1, Oneself)
	f(17, 2, Others)
	f(18, 1, Nobody)
	for who := uint32(2); who <= objectOwner; who++ {
		o.Touch(17, who)
	}
	f(17, 1, Oneself)
	o.Touch(17, 99) // a sixth: the first is forgotten
	f(17, 1, Others)
	f(17, 99, Oneself)
	f(17, 2, Oneself)
}

// As many objects as there is room for are mostly remembered, of ten times as
// many the last; and it never grows.
func TestOwnersForgetsByChance(t *testing.T) {
	o := newOwners(8 << 20)
	room := len(o.sets) * setObjects
	rng := rand.New(rand.NewPCG(1, 2))
	objects := make([]uint64, 10*room)
	for i := range objects {
		objects[i] = rng.Uint64()
		o.Touch(objects[i], 7)
	}
	known := func(of []uint64) (share float64) {
		for _, object := range of {
			if o.Look(object, 7) == Oneself {
				share += 1 / float64(len(of))
			}
		}
		return share
	}
	if last, first := known(objects[9*room+room/2:]), known(objects[:room]); last < 0.6 || first > 0.05 {
		t.Errorf("%.2f of the last and %.2f of the first are known", last, first)
	}
	if len(o.sets)*setObjects != room || room != 8<<20/ownersShare/8 {
		t.Errorf("room for %d", room)
	}
	others := 0
	for _, object := range objects[len(objects)-room/4:] {
		for who := range uint32(20) {
			if o.Look(object, 1000+who) == Oneself {
				others++
			}
		}
	}
	if share := float64(others) / float64(room/4*20); share > 0.01 {
		t.Errorf("%.3f of others pass for the owner", share)
	}
}

func TestOwnersBesideEachOther(t *testing.T) {
	o := newOwners(8 << 20)
	var wg sync.WaitGroup
	for who := range uint32(4) {
		wg.Go(func() {
			for i := range uint64(20_000) {
				o.Expect(i)
				o.Touch(i, who)
				o.Look(i+1, who)
			}
		})
	}
	wg.Wait()
	if n := testing.AllocsPerRun(100, func() { o.Expect(5); o.Touch(5, 5); o.Look(6, 6) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
