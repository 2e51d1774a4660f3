package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// readable opens one file for reading, with errors that say what to do.
func readable(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, advise(fmt.Errorf("replay: %w", err), "name a recording, an access log or a HAR, or - for standard input")
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a directory")
	}
	if err != nil {
		f.Close()
		return nil, advise(fmt.Errorf("replay: %s: %w", name, err), "name the files in it: wonted replay %s/*", name)
	}
	return f, nil
}

// How a file is compressed.
const (
	plain = iota
	gzipped
	zstded
)

// compression is told by the first four bytes (RFC 1952, RFC 8878 with its
// skippable frames).
func compression(magic []byte) int {
	switch {
	case len(magic) >= 2 && string(magic[:2]) == "\x1f\x8b":
		return gzipped
	case len(magic) < 4:
		return plain
	case string(magic) == "\x28\xb5\x2f\xfd", magic[0]&0xf0 == 0x50 && string(magic[1:]) == "\x2a\x4d\x18":
		return zstded
	}
	return plain
}

// maxZstdWindow is what the zstd program decompresses without being told more.
const maxZstdWindow = 128 << 20

// unzipped takes compression off, as rotated logs have it: gzip and zstd, known
// by how they begin, in as many members as there are. closing frees what that
// takes; it does not close r.
func unzipped(r io.Reader) (out io.Reader, closing func(), err error) {
	b := bufio.NewReaderSize(r, 64<<10)
	closing = func() {}
	b.Peek(1) // what has come by now: more may be long in coming
	magic, _ := b.Peek(min(4, b.Buffered()))
	switch compression(magic) {
	case gzipped:
		out, err = gzip.NewReader(b)
	case zstded:
		var z *zstd.Decoder
		if z, err = zstd.NewReader(b, zstd.WithDecoderMaxWindow(maxZstdWindow)); err == nil {
			out, closing = z, z.Close
		}
	default:
		out = b
	}
	return out, closing, err
}
