package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wonted-project/wonted/scoring/profile"
)

func TestCgroupMemory(t *testing.T) {
	f := func(name string, files map[string]string, want uint64) {
		t.Helper()
		root := fstest.MapFS{}
		for path, text := range files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		got, ok := cgroupMemory(root)
		if got != want || ok != (want != 0) {
			t.Errorf("%s: %d, %v, want %d", name, got, ok, want)
		}
	}
	const self, tree = "proc/self/cgroup", "sys/fs/cgroup/"
	f("no cgroups", nil, 0)
	f("version 1", map[string]string{self: "5:memory:/docker/1\n", tree + "memory.max": "1000\n"}, 0)
	f("no limit", map[string]string{self: "0::/\n", tree + "memory.max": "max\n"}, 0)
	f("a namespace of its own", map[string]string{self: "0::/\n", tree + "memory.max": "268435456\n"}, 268435456)
	f("both versions", map[string]string{self: "5:memory:/x\n0::/a\n", tree + "a/memory.max": "7\n"}, 7)
	f("a parent is narrower", map[string]string{self: "0::/pod/wonted\n",
		tree + "pod/wonted/memory.max": "2000\n", tree + "pod/memory.max": "1000\n", tree + "memory.max": "max\n"}, 1000)
	f("only the parent is limited", map[string]string{self: "0::/pod/wonted\n",
		tree + "pod/wonted/memory.max": "max\n", tree + "pod/memory.max": "1000\n"}, 1000)
	f("outside of what we see", map[string]string{self: "0::/../../other\n", tree + "memory.max": "9\n"}, 9)
}

func TestMemoryLimit(t *testing.T) {
	f := func(container uint64, profiles profile.Bytes, want int64, fits bool) {
		t.Helper()
		if got, ok := memoryLimit(container, profiles); got != want || ok != fits {
			t.Errorf("memoryLimit(%d, %v) = %d, %v, want %d, %v", container, profiles, got, ok, want, fits)
		}
	}
	f(1000<<20, 128<<20, 772<<20, true)
	f(512<<20, 400<<20, 60<<20+(4<<20)/5, true) // 460.8 - 400 MiB
	f(256<<20, 240<<20, leastHeap, false)
	f(64<<20, 1<<40, leastHeap, false)
}

func TestTooTight(t *testing.T) {
	f := func(container uint64, profiles profile.Bytes, least string) {
		t.Helper()
		got := tooTight(container, profiles)
		if !strings.Contains(got, least) {
			t.Errorf("tooTight(%d, %v) = %q, want it to name %s", container, profiles, got, least)
		}
		var limit profile.Bytes
		if err := limit.UnmarshalText([]byte(least)); err != nil {
			t.Fatal(err)
		}
		if _, fits := memoryLimit(uint64(limit), profiles); !fits {
			t.Errorf("%s is what it advises, and does not fit %v either", least, profiles)
		}
	}
	f(64<<20, 128<<20, "196MiB")
	f(128<<20, 128<<20, "196MiB")
	f(1<<30, 1<<30, "1192MiB")
}
