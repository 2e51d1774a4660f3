package main

import (
	"bytes"

	"github.com/wonted-project/wonted/scoring/profile"
)

// sane says that a record holds nothing that Decode would mend: no NaN, no
// infinity, no negative count.
func sane(rec *profile.Record) bool {
	var copied profile.Record
	was := profile.Encode(nil, rec)
	return profile.Decode(was, &copied) == nil && bytes.Equal(was, profile.Encode(nil, &copied))
}

// insane counts the store's records that are not.
func insane(store *profile.Store) (n int) {
	store.Range(func(rec *profile.Record) bool {
		if !sane(rec) {
			n++
		}
		return true
	})
	return n
}
