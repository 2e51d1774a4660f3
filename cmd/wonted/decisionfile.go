package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"time"
)

// decisionTexts are the files that are there, the newest first. In this order a
// rotation meanwhile shows a line twice, and hides none.
func decisionTexts(name string, full int) func(yield func(text []byte, err error) bool) {
	return func(yield func([]byte, error) bool) {
		for _, n := range decisionFileNames(name, full) {
			text, err := os.ReadFile(n)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(text, err) || err != nil {
				return
			}
		}
	}
}

func decisionFileNames(name string, full int) []string {
	all := []string{name}
	for i := range full {
		all = append(all, name+"."+strconv.Itoa(i+1))
	}
	return all
}

// eraseDecisions takes those on somebody out of the files.
func eraseDecisions(name string, full int, key string) error {
	mark := []byte(`"key":"` + key + `"`)
	for _, n := range decisionFileNames(name, full) {
		text, err := os.ReadFile(n)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Contains(text, mark) {
			continue
		}
		if err != nil {
			return err
		}
		kept := make([]byte, 0, len(text))
		for line := range bytes.Lines(text) {
			if !bytes.Contains(line, mark) {
				kept = append(kept, line...)
			}
		}
		if err := os.WriteFile(n+".new", kept, 0o600); err != nil {
			return err
		}
		if err := os.Rename(n+".new", n); err != nil {
			return err
		}
	}
	return nil
}

// decodeDecision reads a line; nil: it is none, or damaged, or half written.
func decodeDecision(line []byte) *decision {
	r := &decision{}
	if json.Unmarshal(line, r) != nil || r.ID == "" {
		return nil
	}
	return r
}

// newestDecisions are the last n, the oldest first.
func newestDecisions(name string, full, n int) ([]*decision, error) {
	var newest []*decision
	for text, err := range decisionTexts(name, full) {
		if err != nil {
			return nil, err
		}
		for _, line := range slices.Backward(bytes.Split(text, []byte("\n"))) {
			if r := decodeDecision(line); r != nil && len(newest) < n {
				newest = append(newest, r)
			}
		}
		if len(newest) == n {
			break
		}
	}
	slices.Reverse(newest)
	return newest, nil
}

// searchDecisions finds one by its id; nil: it is not there.
func searchDecisions(name string, full int, id string) (*decision, error) {
	mark := []byte(`"id":"` + id + `"`)
	for text, err := range decisionTexts(name, full) {
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, mark) {
				if r := decodeDecision(line); r != nil && r.ID == id {
					return r, nil
				}
			}
		}
	}
	return nil, nil
}

// oldestDecision is the time of the first line of the oldest file that has one.
func oldestDecision(name string, full int) (oldest time.Time, ok bool) {
	for _, n := range slices.Backward(decisionFileNames(name, full)) {
		text, err := os.ReadFile(n)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			if r := decodeDecision(line); r != nil {
				return r.Time, true
			}
		}
	}
	return time.Time{}, false
}
