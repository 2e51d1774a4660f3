package main

import (
	"maps"
	"slices"
	"sync"
)

// troubles are what an operator should know while wonted works: by subject, so
// that what is mended can be taken back. /readyz prints them.
type troubles struct {
	mu sync.Mutex
	of map[string]string
}

// set notes a trouble; an empty text takes it back. It answers whether that is
// news.
func (t *troubles) set(subject, text string) (news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string]string{}
	}
	if news = t.of[subject] != text; text == "" {
		delete(t.of, subject)
		return news
	}
	t.of[subject] = text
	return news
}

func (t *troubles) clear(subject string) { t.set(subject, "") }

func (t *troubles) has(subject string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[subject] != ""
}

// list is sorted by subject.
func (t *troubles) list() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, subject := range slices.Sorted(maps.Keys(t.of)) {
		all = append(all, subject+": "+t.of[subject])
	}
	return all
}
