package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// Merge is what becomes of routes when a place in their path is folded: From
// are now the one route ID, which may have been there before. What is known of
// them is known of it.
type Merge struct {
	ID   uint32
	Name string
	From []uint32
}

// merges tells once what has become of routes since it was last asked.
func (t *Table) merges() (all []Merge) {
	if !t.merged {
		return nil
	}
	t.merged = false
	for _, e := range t.routes {
		if len(e.folded) > 0 {
			all = append(all, Merge{e.id, e.name, e.folded})
			e.folded = nil
		}
	}
	return all
}

// foldWhere folds what has turned out to be places of values: of those that
// have grown, the nearest to the root first, since below it much becomes one; or
// the widest, where the table is full. A place is judged at every eighth word:
// judging reads all that is below.
func (t *Table) foldWhere(grown []*place) {
	grown = slices.DeleteFunc(grown, func(p *place) bool { return p.words < enoughTenants || p.words%8 != 0 })
	for len(t.folds) < maxFolds {
		f, ok := fold{}, false
		for _, p := range grown {
			if f, ok = p.judge(false); ok {
				break
			}
		}
		if !ok && t.full.Load() {
			if wide := t.evidence.wide(enoughTenants); len(wide) > 0 {
				f, ok = slices.MaxFunc(wide, func(a, b *place) int { return cmp.Compare(a.words, b.words) }).judge(true)
			}
		}
		if !ok {
			return
		}
		t.folds = append(t.folds, f)
		t.rebuild()
		grown = t.evidence.wide(enoughTenants) // merged branches may be wide
	}
}

// rebuild makes the guide anew of all that somebody has to say, and under it
// the routes and the evidence.
func (t *Table) rebuild() {
	v, g, old := new(view), t.newGuide(), t.routes
	if len(t.folds)+len(t.seeds)+len(t.carried) > 0 {
		v.guide = g
	}
	t.routes, t.evidence = nil, &evidence{guide: g}
	for _, e := range old {
		t.bring(v, e, v.guide.rename(e.name))
	}
	t.full.Store(len(t.routes) == MaxRoutes)
	t.view.Store(v)
}

// bring takes an entry into a new view, under a name that may be new.
func (t *Table) bring(v *view, e *entry, name string) {
	hash := xxh3.HashString(name)
	have := v.find(hash, []byte(name))
	if have == nil {
		if have = e; name != e.name {
			have = &entry{id: routeID(hash), name: name}
		}
		t.add(v, have)
	}
	if have == e {
		return
	}
	have.hits.Store(uint32(min(have.seen()+e.seen(), often)))
	have.folded = append(have.folded, e.folded...)
	if e.seen() > 0 && name != e.name {
		have.folded = append(have.folded, e.id)
	}
	t.merged = t.merged || len(have.folded) > 0
}

// newGuide is nil where nobody has anything to say.
func (t *Table) newGuide() *guide {
	if len(t.folds)+len(t.seeds)+len(t.carried)+len(t.kept) == 0 {
		return nil
	}
	g := new(guide)
	for _, name := range t.seeds {
		_, path, _ := strings.Cut(name, " ")
		g.describe(path)
	}
	for _, path := range t.carried {
		g.describe(path).carries, g.any = true, true
	}
	for _, name := range t.kept {
		_, path, _ := strings.Cut(name, " ")
		g.add(path)
	}
	// Parents first: a fold below a folded place is one of the placeholder's.
	slices.SortStableFunc(t.folds, func(a, b fold) int { return strings.Count(a.path, "/") - strings.Count(b.path, "/") })
	var folds []fold
	for _, f := range t.folds {
		f.path = g.renamePath(f.path)
		at := g.add(f.path)
		at.fold = true
		for _, w := range f.keep {
			at.child(w)
		}
		if i := slices.IndexFunc(folds, func(have fold) bool { return have.path == f.path }); i >= 0 {
			f.keep = slices.Concat(folds[i].keep, f.keep)
			slices.Sort(f.keep)
			folds[i].keep = slices.Compact(f.keep)
		} else {
			folds = append(folds, f)
		}
	}
	t.folds = folds
	return g
}
