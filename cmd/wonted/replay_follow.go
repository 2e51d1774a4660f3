package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// tail reads a file that grows, from its beginning, as `tail -F` does: where it
// is renamed or removed and a new one is made, or where it is cut to nothing, it
// goes on at the new beginning. It ends when ctx is done. What is written between
// the last look and a cut is lost, as it is to tail; a rename loses nothing.
type tail struct {
	ctx  context.Context
	name string
	f    *os.File
	at   int64
	torn bool   // what was read last does not end a line
	idle func() // called where there is nothing to read
}

const tailEvery = 200 * time.Millisecond

// follow opens a file that is to be followed.
func (t *tape) follow(ctx context.Context, name string) (*tapeFile, io.Reader, error) {
	file, err := readable(name)
	if err != nil {
		return nil, nil, err
	}
	if info, err := file.Stat(); err == nil && !info.Mode().IsRegular() {
		file.Close()
		return nil, nil, advise(fmt.Errorf("replay: %s is no regular file", name), "what is no file is read as it comes, without --follow")
	}
	magic := make([]byte, 4)
	n, _ := file.ReadAt(magic, 0)
	if compression(magic[:n]) != plain {
		file.Close()
		return nil, nil, advise(fmt.Errorf("replay: %s is compressed", name), "what is compressed grows no more: leave --follow out")
	}
	r := &tail{ctx: ctx, name: name, f: file, idle: func() {
		if t.idle != nil {
			t.idle()
		}
	}}
	t.total = -1
	return &tapeFile{name: name, close: []func(){func() { r.f.Close() }}}, r, nil
}

// Read implements io.Reader; io.EOF is the end of following.
func (t *tail) Read(b []byte) (int, error) {
	for {
		n, err := t.f.Read(b)
		if n > 0 {
			t.at += int64(n)
			t.torn = b[n-1] != '\n'
			return n, nil
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
		if moved, err := t.moved(); err != nil {
			return 0, err
		} else if moved {
			if t.torn { // half a line of the old file is no part of the new one's first
				t.torn = false
				b[0] = '\n'
				return 1, nil
			}
			continue
		}
		t.idle()
		select {
		case <-t.ctx.Done():
			return 0, io.EOF
		case <-time.After(tailEvery):
		}
	}
}

// moved goes on at a new beginning, if there is one. The old file has been read
// to its end.
func (t *tail) moved() (bool, error) {
	now, err := os.Stat(t.name)
	if err != nil {
		return false, nil // renamed, and the next one is not there yet
	}
	was, err := t.f.Stat()
	if err != nil {
		return false, err
	}
	if os.SameFile(now, was) {
		if now.Size() >= t.at {
			return false, nil
		}
		_, err := t.f.Seek(0, io.SeekStart)
		t.at = 0
		return true, err
	}
	if was.Size() > t.at { // its writer has gone on after the rename
		return false, nil
	}
	f, err := os.Open(t.name)
	if err != nil {
		return false, nil
	}
	t.f.Close()
	t.f, t.at = f, 0
	return true, nil
}
