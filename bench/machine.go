package bench

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machine describes what the run is on. What cannot be found out stays empty.
func machine(ctx context.Context, envoy string, plan *Plan) Machine {
	m := Machine{
		CPU: after("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Go: runtime.Version(),
		GOMAXPROCS: plan.Procs, EnvoyCores: 1, Wonted: plan.Version,
	}
	if kb, _, ok := strings.Cut(after("/proc/meminfo", "MemTotal"), " "); ok {
		n, _ := strconv.ParseInt(kb, 10, 64)
		m.Memory = n << 10
	}
	// A container's limits, as cgroup v2 has them; "max" is none.
	if limit, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(limit)), 10, 64); err == nil && n < m.Memory {
			m.Memory, m.Container = n, true
		}
	}
	if procs := runtime.GOMAXPROCS(0); procs < m.Cores && os.Getenv("GOMAXPROCS") == "" {
		m.Cores, m.Container = procs, true // Go has read cpu.max
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		if one, _, ok := strings.Cut(string(load), " "); ok {
			m.Busy = "load average " + one
		}
	}
	if plan.Target != "" {
		m.EnvoyCores = 0
		return m
	}
	// "…/envoy  version: 64efa47…/1.40.0/Clean/RELEASE/BoringSSL"
	if out, err := exec.CommandContext(ctx, envoy, "--version").Output(); err == nil {
		if parts := bytes.Split(out, []byte("/")); len(parts) > 4 {
			m.Envoy = string(parts[len(parts)-4])
		}
	}
	return m
}

// after finds "name : value" in a file of /proc.
func after(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
