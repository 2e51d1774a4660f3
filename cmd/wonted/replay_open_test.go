package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// inGzip and inZstd are one member each.
func inGzip(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func inZstd(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReplayCompressed: known by its content, in any number of members, and as
// far as it goes where it breaks off.
func TestReplayCompressed(t *testing.T) {
	t.Chdir(t.TempDir())
	days := ordinary()[:400]
	plain := jsonl(t, days)
	half := strings.Index(plain[len(plain)/2:], "\n") + len(plain)/2 + 1
	const skippable = "\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
	f := func(what, in string, want int, complaint string) {
		t.Helper()
		out, errs, err := play(t, in, "-", "--output", "json")
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		if p := parsePrinted(t, out); p.summary.Exchanges > len(days) || p.summary.Exchanges < want {
			t.Errorf("%s: %d exchanges, want %d", what, p.summary.Exchanges, want)
		}
		if complaint == "" && errs != "" || !strings.Contains(errs, complaint) {
			t.Errorf("%s: standard error lacks %q:\n%s", what, complaint, errs)
		}
	}
	f("plain", plain, len(days), "")
	f("gzip", inGzip(t, plain), len(days), "")
	f("gzip, two members", inGzip(t, plain[:half])+inGzip(t, plain[half:]), len(days), "")
	f("zstd", inZstd(t, plain), len(days), "")
	f("zstd, two frames", inZstd(t, plain[:half])+skippable+inZstd(t, plain[half:]), len(days), "")
	f("zstd, a skippable frame first", skippable+inZstd(t, plain), len(days), "")
	cut := inGzip(t, plain)
	f("gzip, cut off", cut[:len(cut)/2], 1, "standard input: breaks off after ")
	first, second := inZstd(t, plain[:half]), inZstd(t, plain[half:])
	f("zstd, cut off", first+second[:len(second)/2], 100, "standard input: breaks off after ")
	f("gzip, junk behind", inGzip(t, plain)+"junk", len(days), "standard input: breaks off after 400 lines: ")

	g := func(what, in, want string) {
		t.Helper()
		out, _, err := play(t, in, "-", "--output", "json")
		if err == nil || out != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…\n%s", what, err, want, out)
		}
	}
	g("a gzip's beginning", cut[:5], "replay: read standard input: ")
	g("a zstd's beginning", first[:5], "replay: read standard input: ")
	g("an empty gzip", inGzip(t, ""), "replay: standard input: empty")
	g("junk", strings.Repeat("\x00\xff\n\x7f", 1000), "nothing can be read of 1,001 lines")
}
