package main

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// containerMemory is the memory limit of the container that we run in, false
// where there is none.
func containerMemory() (uint64, bool) { return cgroupMemory(os.DirFS("/")) }

// cgroupMemory is the smallest memory.max from our control group (version 2)
// up to the root of what we see of the tree: each holds for all below it. In a
// container with a namespace of its own, that root is its group.
func cgroupMemory(root fs.FS) (limit uint64, ok bool) {
	of, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(of)) {
		group, unified := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !unified {
			continue
		}
		for dir := path.Join("/", group); ; dir = path.Dir(dir) {
			text, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", dir, "memory.max"))
			// "max" is no number, and no limit.
			if n, e := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64); err == nil && e == nil && (!ok || n < limit) {
				limit, ok = n, true
			}
			if dir == "/" {
				break
			}
		}
	}
	return limit, ok
}
