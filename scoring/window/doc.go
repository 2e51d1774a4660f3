// Package window holds the numbers a profile is made of: sliding counters,
// running moments and small decayed sketches, all of fixed size, free of
// pointers and of allocation, and valid when zero.
//
// Time is a uint32 of seconds since the epoch and always a parameter. Nothing
// here reads a clock, and nothing goes wrong when a clock steps back: a now
// before last counts as last.
//
// Everything is a value inside a profile.Record and is used under that
// record's lock; there is no locking here. The package imports the standard
// library only.
//
// Start with ring.go (what happened lately), then moments.go (what is usual),
// then the sketches: slots.go, hours.go, bloom.go, hll.go, steps.go. merge.go puts
// together what replicas keep of one thing.
// Where sixteen or eight bits hold a quantity that is larger, the comment
// there says what error that costs.
package window
